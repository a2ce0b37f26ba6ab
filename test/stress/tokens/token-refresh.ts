import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { PasswordsService } from '../../../src/auth/passwords/passwords.service';
import { REFRESH_CONNECTIONS } from '../../../src/tokens/refresh-connections.task';
import { TokenRefreshService } from '../../../src/tokens/token-refresh.service';
import { TokensService } from '../../../src/tokens/tokens.service';
import { BenchServerProcess } from '../../bench/server-process';
import { FakeUpwork } from '../../../src/demo/fake-upwork/fake-upwork';
import { Caller } from '../../support/caller';
import { runAsUser } from '../../support/run-as-user';
import { buildServers } from '../build-servers';
import { ChildProgram } from '../child';
import { InProcessApi } from '../in-process-api';
import { pause } from '../../support/wait-for';

/** Sizes of the scenario. */
export interface TokenRefreshOptions {
  /** Concurrent worker processes, each with its schedule running. */
  readonly workers: number;
  /** Concurrent requests over HTTP for the same refresh. */
  readonly requests: number;
}

/** The result; the provider must have seen one refresh and refused none. */
export interface TokenRefreshResult {
  readonly workers: number;
  readonly requests: number;
  /** Workers that found the connection refreshed. */
  readonly refreshed: number;
  readonly answered200: number;
  readonly seenByTheProvider: number;
  readonly refusedByTheProvider: number;
  /** The provider accepts the stored access token, and a later refresh with the refresh token. */
  readonly pairIsUsable: boolean;
  /** State after a worker was killed between the provider's response and its storage. */
  readonly afterTheKill: { readonly status: string; readonly isPairKept: boolean; readonly isOwnerNotified: boolean };
}

interface Row {
  readonly status: string;
  readonly refresh_owner: string | null;
  readonly encrypted_refresh_token: string;
  readonly reconnect_reported_at: Date | null;
}

const PASSWORD = 'only for this scenario';
const POLL_INTERVAL_MS = 10;
const TIMEOUT_MS = 300_000;

/** Finds sessions that wait to store the response. */
const WAITING_TO_STORE = `SELECT pid FROM pg_stat_activity
  WHERE wait_event_type = 'Lock' AND query LIKE '%UPDATE user_tokens%'`;

/**
 * Lets many worker processes and requests refresh one expiring connection at once, against the fake Upwork with
 * rotating refresh tokens. Then kills a worker between the provider's response and its storage.
 */
export async function stressTokenRefresh(options: TokenRefreshOptions): Promise<TokenRefreshResult> {
  buildServers();
  const upwork = await new FakeUpwork().start();
  const served = new InProcessApi(upwork.settings);
  const scenario = new TokenRefreshRun(served, upwork);
  try {
    return await served.run(() => scenario.run(options).finally(() => scenario.stop()));
  } finally {
    await upwork.stop();
  }
}

class TokenRefreshRun {
  private readonly email = `${randomUUID()}@example.org`;
  private readonly children: ChildProgram[] = [];
  private api: BenchServerProcess | undefined;
  private userId = 0;
  private tokenId = 0;

  constructor(
    private readonly served: InProcessApi,
    private readonly upwork: FakeUpwork,
  ) {}

  async run({ workers, requests }: TokenRefreshOptions): Promise<TokenRefreshResult> {
    this.api = await BenchServerProcess.start('product', this.environment());
    const caller = await this.signUp();
    const children = await this.startWorkers(workers);
    await this.connect();
    const { grants } = this.upwork;
    this.upwork.tokenDelayMs = 300;
    const outcomes = children.map((child) => this.refreshIn(child));
    const answers = await Promise.all(
      Array.from({ length: requests }, () => caller.post(`/v1/tokens/${this.tokenId}/refresh`)),
    );
    const refreshed = (await Promise.all(outcomes)).filter((outcome) => outcome === 'active').length;
    const [seenByTheProvider, refusedByTheProvider] = [grants.refreshes, grants.refusals];
    return {
      workers,
      requests,
      refreshed,
      answered200: answers.filter(({ status }) => status === 200).length,
      seenByTheProvider,
      refusedByTheProvider,
      pairIsUsable: await this.pairIsUsable(),
      afterTheKill: await this.killBeforeStore(children[0]!),
    };
  }

  async stop(): Promise<void> {
    await Promise.all(this.children.map((child) => child.end('SIGKILL')));
    await this.api?.stop();
  }

  private environment(): Record<string, string> {
    return { ...this.served.services.buildEnvironment(), ...this.upwork.settings };
  }

  private async signUp(): Promise<Caller> {
    const [user] = await this.served.query<{ id: string }>(
      `INSERT INTO users (email, encrypted_password, is_verified) VALUES ($1, $2, true) RETURNING id`,
      [this.email, await this.served.get(PasswordsService).hash(PASSWORD)],
    );
    this.userId = Number(user!.id);
    const url = `http://127.0.0.1:${this.api!.port}`;
    const { body } = await new Caller(url).post('/v1/auth/login', { email: this.email, password: PASSWORD });
    return new Caller(url, body.accessToken);
  }

  private async startWorkers(count: number): Promise<ChildProgram[]> {
    const started = Array.from(
      { length: count },
      () => new ChildProgram(['test/stress/tokens/token-refresh-worker.cjs'], this.environment()),
    );
    this.children.push(...started);
    await Promise.all(started.map((child) => child.waitForLine('ready')));
    return started;
  }

  private async connect(): Promise<void> {
    const connection = {
      provider: 'upwork' as const,
      ...this.upwork.grants.issueTokens(this.email),
      expiresAt: new Date(Date.now() + 60_000),
      organizationId: null,
    };
    const { token } = await runAsUser(this.userId, () => this.served.get(TokensService).store(connection));
    this.tokenId = token.id;
  }

  private refreshIn(child: ChildProgram): Promise<string> {
    const outcome = child.waitForNextLine('done ');
    child.writeLine(`${this.userId} ${this.tokenId}`);
    return outcome;
  }

  private async pairIsUsable(): Promise<boolean> {
    const refresher = this.served.get(TokenRefreshService);
    const token = await runAsUser(this.userId, () => refresher.getAccessToken(this.tokenId));
    const isTaken = this.upwork.grants.findUser(token) === this.email;
    await this.passTime();
    const { status } = await runAsUser(this.userId, () => refresher.refresh(this.tokenId));
    return isTaken && status === 'active';
  }

  /**
   * Locks the row, so that the response cannot be stored; then kills the worker and its connection to PostgreSQL
   * together.
   */
  private async killBeforeStore(worker: ChildProgram) {
    await this.passTime();
    const before = await this.row();
    const holder = new Client({ connectionString: this.served.services.buildUrl('superuser') });
    await holder.connect();
    const outcome = this.refreshIn(worker).catch(() => 'killed');
    await waitUntil(async () => (await this.row()).refresh_owner !== null);
    await holder.query('BEGIN');
    await holder.query('SELECT FROM user_tokens WHERE id = $1 FOR UPDATE', [this.tokenId]);
    await waitUntil(async () => (await this.served.query(WAITING_TO_STORE)).length > 0);
    await worker.end('SIGKILL');
    await this.served.query(`SELECT pg_terminate_backend(pid) FROM (${WAITING_TO_STORE}) w`);
    await holder.end();
    await outcome;
    await this.served.query(`UPDATE user_tokens SET refresh_until = now() - interval '1 second' WHERE id = $1`, [
      this.tokenId,
    ]);
    await this.served.runTask(REFRESH_CONNECTIONS);
    await runAsUser(this.userId, () => this.served.get(TokenRefreshService).refresh(this.tokenId)).catch(
      () => undefined,
    );
    await this.served.runTask(REFRESH_CONNECTIONS);
    const after = await this.row();
    return {
      status: after.status,
      isPairKept: after.encrypted_refresh_token === before.encrypted_refresh_token,
      isOwnerNotified: after.reconnect_reported_at !== null,
    };
  }

  /** Backdates the last refresh. */
  private async passTime(): Promise<void> {
    await this.served.query(`UPDATE user_tokens SET last_refreshed_at = now() - interval '1 hour' WHERE id = $1`, [
      this.tokenId,
    ]);
  }

  private async row(): Promise<Row> {
    const [row] = await this.served.query<Row & Record<string, unknown>>(
      'SELECT status, refresh_owner, encrypted_refresh_token, reconnect_reported_at FROM user_tokens WHERE id = $1',
      [this.tokenId],
    );
    return row!;
  }
}

async function waitUntil(isTrue: () => Promise<boolean>): Promise<void> {
  for (
    const deadline = Date.now() + TIMEOUT_MS;
    !(await isTrue());
    await pause(POLL_INTERVAL_MS, 'the workers are processes of their own')
  ) {
    if (Date.now() > deadline) throw new Error('the scenario waited too long');
  }
}

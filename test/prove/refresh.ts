import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { Passwords } from '../../src/auth/passwords.service';
import { REFRESH_CONNECTIONS } from '../../src/tokens/refresh-connections.task';
import { TokenRefresher } from '../../src/tokens/token-refresh.service';
import { TokensService } from '../../src/tokens/tokens.service';
import { ServerProcess } from '../bench/server-process';
import { FakeUpwork } from '../fakes/upwork/fake-upwork';
import { Caller } from '../support/caller';
import { within } from '../support/within';
import { buildServers } from './build-servers';
import { Child } from './child';
import { Served } from './served';

/** Sizes of the proof. */
export interface RefreshOptions {
  /** Worker processes, each with its schedule running, that refresh at once. */
  readonly workers: number;
  /** Requests over HTTP that ask for the same at the same moment. */
  readonly requests: number;
}

/** What was found; the provider must have seen one refresh and refused none. */
export interface RefreshResult {
  readonly workers: number;
  readonly requests: number;
  /** Workers that found the connection refreshed. */
  readonly refreshed: number;
  readonly answered200: number;
  readonly seenByTheProvider: number;
  readonly refusedByTheProvider: number;
  /** The provider takes the access token that is stored, and a later refresh with the refresh token. */
  readonly pairIsUsable: boolean;
  /** Of a worker that was killed with the provider's answer in hand, before it was stored. */
  readonly afterTheKill: { readonly status: string; readonly pairIsKept: boolean; readonly ownerIsTold: boolean };
}

interface Row {
  readonly status: string;
  readonly refresh_owner: string | null;
  readonly encrypted_refresh_token: string;
  readonly reconnect_reported_at: Date | null;
}

const PASSWORD = 'only for this proof';
const LOOK_EVERY_MS = 10;
const PATIENCE_MS = 15_000;

/** Whoever waits to store the answer. */
const WAITING_TO_STORE = `SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%UPDATE user_tokens%'`;

/**
 * Has many worker processes and requests refresh one connection that expires, all at once, against the fake Upwork, whose
 * refresh tokens rotate. Then kills a worker between the provider's answer and the store.
 */
export async function proveRefresh(options: RefreshOptions): Promise<RefreshResult> {
  buildServers();
  const upwork = await new FakeUpwork().start();
  const served = new Served(upwork.settings);
  const proof = new RefreshProof(served, upwork);
  try {
    return await served.during(() => proof.run(options).finally(() => proof.stop()));
  } finally {
    await upwork.stop();
  }
}

class RefreshProof {
  private readonly email = `${randomUUID()}@example.org`;
  private readonly children: Child[] = [];
  private api: ServerProcess | undefined;
  private userId = 0;
  private tokenId = 0;

  constructor(
    private readonly served: Served,
    private readonly upwork: FakeUpwork,
  ) {}

  async run({ workers, requests }: RefreshOptions): Promise<RefreshResult> {
    this.api = await ServerProcess.start('product', this.environment());
    const caller = await this.signUp();
    const children = await this.startWorkers(workers);
    await this.connect();
    const { grants } = this.upwork;
    this.upwork.delayMs = 300;
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
      afterTheKill: await this.killBeforeTheStore(children[0]!),
    };
  }

  async stop(): Promise<void> {
    await Promise.all(this.children.map((child) => child.end('SIGKILL')));
    await this.api?.stop();
  }

  private environment(): Record<string, string> {
    return { ...this.served.services.environment(), ...this.upwork.settings };
  }

  private async signUp(): Promise<Caller> {
    const [user] = await this.served.sql<{ id: string }>(
      `INSERT INTO users (email, encrypted_password, is_verified) VALUES ($1, $2, true) RETURNING id`,
      [this.email, await this.served.get(Passwords).hash(PASSWORD)],
    );
    this.userId = Number(user!.id);
    const url = `http://127.0.0.1:${this.api!.port}`;
    const { body } = await new Caller(url).post('/v1/auth/login', { email: this.email, password: PASSWORD });
    return new Caller(url, body.accessToken);
  }

  private async startWorkers(count: number): Promise<Child[]> {
    const started = Array.from(
      { length: count },
      () => new Child(['test/prove/refresh-worker.cjs'], this.environment()),
    );
    this.children.push(...started);
    await Promise.all(started.map((child) => child.line('ready')));
    return started;
  }

  private async connect(): Promise<void> {
    const connection = {
      provider: 'upwork' as const,
      ...this.upwork.grants.pair(this.email),
      expiresAt: new Date(Date.now() + 60_000),
      organizationId: null,
    };
    const { token } = await within(this.userId, () => this.served.get(TokensService).store(connection));
    this.tokenId = token.id;
  }

  private refreshIn(child: Child): Promise<string> {
    const outcome = child.nextLine('done ');
    child.tell(`${this.userId} ${this.tokenId}`);
    return outcome;
  }

  private async pairIsUsable(): Promise<boolean> {
    const refresher = this.served.get(TokenRefresher);
    const token = await within(this.userId, () => refresher.accessToken(this.tokenId));
    const isTaken = this.upwork.grants.userOf(token) === this.email;
    await this.passTime();
    const { status } = await within(this.userId, () => refresher.refresh(this.tokenId));
    return isTaken && status === 'active';
  }

  /** Holds the row, so that the answer cannot be stored; then the worker and its connection to PostgreSQL die together. */
  private async killBeforeTheStore(worker: Child) {
    await this.passTime();
    const before = await this.row();
    const holder = new Client({ connectionString: this.served.services.url('superuser') });
    await holder.connect();
    const outcome = this.refreshIn(worker).catch(() => 'killed');
    await until(async () => (await this.row()).refresh_owner !== null);
    await holder.query('BEGIN');
    await holder.query('SELECT FROM user_tokens WHERE id = $1 FOR UPDATE', [this.tokenId]);
    await until(async () => (await this.served.sql(WAITING_TO_STORE)).length > 0);
    await worker.end('SIGKILL');
    await this.served.sql(`SELECT pg_terminate_backend(pid) FROM (${WAITING_TO_STORE}) w`);
    await holder.end();
    await outcome;
    await this.served.sql(`UPDATE user_tokens SET refresh_until = now() - interval '1 second' WHERE id = $1`, [
      this.tokenId,
    ]);
    await this.served.run(REFRESH_CONNECTIONS);
    await within(this.userId, () => this.served.get(TokenRefresher).refresh(this.tokenId)).catch(() => undefined);
    await this.served.run(REFRESH_CONNECTIONS);
    const after = await this.row();
    return {
      status: after.status,
      pairIsKept: after.encrypted_refresh_token === before.encrypted_refresh_token,
      ownerIsTold: after.reconnect_reported_at !== null,
    };
  }

  /** Lets a refresh of just now be long ago. */
  private async passTime(): Promise<void> {
    await this.served.sql(`UPDATE user_tokens SET last_refreshed_at = now() - interval '1 hour' WHERE id = $1`, [
      this.tokenId,
    ]);
  }

  private async row(): Promise<Row> {
    const [row] = await this.served.sql<Row & Record<string, unknown>>(
      'SELECT status, refresh_owner, encrypted_refresh_token, reconnect_reported_at FROM user_tokens WHERE id = $1',
      [this.tokenId],
    );
    return row!;
  }
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; !(await isTrue()); await sleep(LOOK_EVERY_MS)) {
    if (Date.now() > deadline) throw new Error('what the proof waits for did not come');
  }
}

import { randomBytes } from 'node:crypto';
import { ContextSigner } from '../../../src/platform/database/context-signer';
import { withClient } from '../../../src/local-services/database-setup';
import type { BenchServerProcess } from '../../bench/server-process';
import { type Answer, Caller } from '../../support/caller';
import { waitFor } from '../../support/wait-for';
import { ApiProcess } from '../api-process';
import { createStressServices } from '../stress-services';
import { countResults, isOk, RepeatingClient } from './repeating-client';

/** Sizes of the scenario. */
export interface ContextKeyRotationOptions {
  readonly clients: number;
  /** Responses to each client before the next step begins. */
  readonly requestsPerStep: number;
}

/** The result. */
export interface ContextKeyRotationResult {
  readonly requests: number;
  /** Requests that were not answered 2xx; must be 0. */
  readonly failed: number;
  readonly unexpected: readonly string[];
  /** Answered changes, and their audit rows; must be equal. */
  readonly changes: number;
  readonly audited: number;
  /** True for each key that PostgreSQL accepts at the end: the first, the second, the third. */
  readonly accepted: readonly boolean[];
  /** True when a server with the first key starts at the end; must be false. */
  readonly doesFormerKeyStart: boolean;
}

/**
 * Changes CONTEXT_KEY twice while clients read and write: `npm run migrate` stores the new key, a server with it starts
 * beside the old one, both serve, and the old one ends. Then the first key expires.
 */
export async function stressContextKeyRotation(options: ContextKeyRotationOptions): Promise<ContextKeyRotationResult> {
  const services = createStressServices();
  const first = await ApiProcess.start({ services });
  const rotation = new Rotation(first, options);
  try {
    await rotation.startClients();
    const keys = [randomBytes(32), randomBytes(32)];
    for (const key of keys) await rotation.changeKey(key.toString('base64'));
    await first.query(EXPIRE_FORMER_KEYS);
    await rotation.waitForStep();
    const counts = await rotation.stopClients();
    const signers = [services.signer, ...keys.map((key) => new ContextSigner(key, 'gigvault_app'))];
    const url = services.buildUrl('app');
    return {
      ...counts,
      accepted: await Promise.all(signers.map((signer) => isAccepted(url, signer))),
      doesFormerKeyStart: await doesStart(first),
    };
  } finally {
    await rotation.stop();
  }
}

/** Throws when a request failed, an audit row is missing, or another key than the last one is accepted. */
export function assertRotated(result: ContextKeyRotationResult): ContextKeyRotationResult {
  const { failed, unexpected, changes, audited, accepted, doesFormerKeyStart } = result;
  const isRotated = String(accepted) === 'false,false,true' && !doesFormerKeyStart;
  if (failed > 0 || changes !== audited || !isRotated) throw new Error(JSON.stringify({ ...result, unexpected }));
  return result;
}

/** What the passing of a day does. */
const EXPIRE_FORMER_KEYS = `
  UPDATE secrets.context_keys SET replaced_at = replaced_at - interval '25 hours' WHERE replaced_at IS NOT NULL`;

const COUNT_AUDIT = `
  SELECT count(*)::integer AS count FROM audit_logs
  WHERE table_name = 'jobs' AND actor_kind = 'user' AND actor_id = user_id`;

function isAccepted(url: string, signer: ContextSigner): Promise<boolean> {
  return withClient(url, async (client) => {
    await client.query(`SELECT set_config('app.context', $1, false)`, [signer.sign(['0'])]);
    return (await client.query('SELECT FROM auth.context')).rowCount === 1;
  });
}

/** Starts a server with the first key, and stops it again. */
async function doesStart(api: ApiProcess): Promise<boolean> {
  try {
    const server = await api.startAnother();
    await server.stop();
    return true;
  } catch (error) {
    if (!(error as Error).message.includes('does not know the key that signs contexts')) throw error;
    return false;
  }
}

/** A client's access token, its number of requests, and its newest job. */
interface User {
  readonly token: string;
  sent: number;
  lastJob: number;
}

class Rotation {
  private readonly clients: RepeatingClient[] = [];
  private readonly servers: BenchServerProcess[] = [];
  private urls: readonly string[];
  private requests = 0;
  private changes = 0;

  constructor(
    private readonly first: ApiProcess,
    private readonly options: ContextKeyRotationOptions,
  ) {
    this.urls = [first.url];
  }

  /** Signs users in, who each create and read jobs in turn. */
  async startClients(): Promise<void> {
    for (let count = 0; count < this.options.clients; count += 1) {
      const account = await this.first.createAccount();
      const user = { token: await account.signIn(), sent: 0, lastJob: 0 };
      this.clients.push(new RepeatingClient(() => this.send(user)));
    }
    for (const client of this.clients) client.start();
    await this.waitForStep();
  }

  /** Stores the key, replaces the servers, and lets each state be used. */
  async changeKey(key: string): Promise<void> {
    const former = this.servers.at(-1);
    await this.first.runProgram('dist/src/cli/migrate.js', { CONTEXT_KEY: key });
    await this.waitForStep();
    const server = await this.first.startAnother({ CONTEXT_KEY: key });
    this.servers.push(server);
    const url = `http://127.0.0.1:${server.port}`;
    this.urls = [...this.urls, url];
    await this.waitForStep();
    this.urls = [url];
    // Responses to requests that the former server has accepted.
    await this.waitForStep();
    await (former ? former.stop() : this.first.stopApi());
    await this.waitForStep();
  }

  /** Waits until each client has further responses. */
  async waitForStep(): Promise<void> {
    const goals = this.clients.map(({ results }) => results.length + this.options.requestsPerStep);
    await waitFor('the clients are answered', () =>
      this.clients.every(({ results }, index) => results.length >= goals[index]!),
    );
  }

  async stopClients(): Promise<
    Pick<ContextKeyRotationResult, 'requests' | 'failed' | 'unexpected' | 'changes' | 'audited'>
  > {
    await Promise.all(this.clients.map((client) => client.stop()));
    const { ok, refused, wrong } = countResults(this.clients);
    const [audit] = await this.first.query<{ count: number }>(COUNT_AUDIT);
    return {
      requests: ok + refused + wrong,
      failed: refused + wrong,
      unexpected: this.clients.flatMap(({ unexpected }) => unexpected).slice(0, 5),
      changes: this.changes,
      audited: audit!.count,
    };
  }

  async stop(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.stop()));
    await Promise.all(this.servers.map((server) => server.stop()));
    await this.first.stop();
  }

  /** Creates a job, or reads the last one. A server whose key is not accepted does not find it. */
  private async send(user: User): Promise<Answer> {
    user.sent += 1;
    const caller = new Caller(this.urls[this.requests++ % this.urls.length]!, user.token);
    if (user.sent % 2 === 0) return caller.get(`/v1/jobs/${user.lastJob}`);
    const answer = await caller.post<{ id: number }>('/v1/jobs', { title: `job ${user.sent}` });
    if (!isOk(answer)) return answer;
    user.lastJob = answer.body.id;
    this.changes += 1;
    return answer;
  }
}

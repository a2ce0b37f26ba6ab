import { randomUUID } from 'node:crypto';
import Redis from 'ioredis';
import { BenchServices } from '../../bench/services';
import { type Answer, Caller } from '../../support/caller';
import { FakeAwsKms } from '../../support/fake-aws-kms';
import type { FakeKeyService } from '../../support/fake-key-service';
import { FakeVault } from '../../support/fake-vault';
import { pause, waitFor } from '../../support/wait-for';
import { ApiProcess } from '../api-process';
import { type SearchResult, searchEverywhere } from './plain-key-search';
import { type Counts, countResults, isOk, RepeatingClient } from './repeating-client';

/** Sizes of the scenario. */
export interface KeyServiceOutageOptions {
  readonly service: 'vault' | 'aws';
  /** Clients of each kind. */
  readonly clients: number;
  /** Length of each outage, at least until every client was answered. */
  readonly holdMs?: number;
}

/** What clients observed of one outage. */
export interface OutageReport {
  readonly outage: string;
  /** Responses during the outage to requests that need no data key or one in memory; `failed` were not 2xx. */
  readonly served: number;
  readonly failed: number;
  /** Responses during the outage to requests that need the service; `wrong` were no 503 as documented. */
  readonly refused: number;
  readonly wrong: number;
  /** The statuses and codes of unexpected responses. */
  readonly unexpected: readonly string[];
  /** Clients of the latter that were answered 2xx after the end, without a restart. */
  readonly recovered: number;
}

/** The result; `found` and `overlooked` must be empty. */
export interface KeyServiceOutageResult extends SearchResult {
  readonly outages: readonly OutageReport[];
}

const SETTINGS = {
  LOG_LEVEL: 'trace',
  // Requests that wait for the service hold no connection, so a few are enough.
  DATABASE_POOL_SIZE: '4',
  DATABASE_CONNECT_TIMEOUT_MS: '60000',
  KMS_TIMEOUT_MS: '1000',
};

/** How each outage begins and ends. */
const OUTAGES: Readonly<Record<string, readonly [begin: Change, end: Change]>> = {
  down: [(fake) => fake.stop(), (fake) => fake.start()],
  silent: [(fake) => (fake.isSilent = true), (fake) => (fake.isSilent = false)],
  throttling: [(fake) => (fake.throttled = Infinity), (fake) => (fake.throttled = 0)],
  failing: [(fake) => (fake.isFailing = true), (fake) => (fake.isFailing = false)],
};
type Change = (fake: FakeKeyService) => unknown;

/**
 * Runs the API with its master key in a key management service, which is down, silent, throttling and failing under
 * load. Counts what clients are answered, and then searches all files and logs for plain data keys.
 */
export async function stressKeyServiceOutage(options: KeyServiceOutageOptions): Promise<KeyServiceOutageResult> {
  const fake = options.service === 'vault' ? new FakeVault() : new FakeAwsKms();
  await fake.start();
  fake.createKey('gigvault');
  const services = new BenchServices();
  try {
    const settings = { ...fake.settings, ...SETTINGS, ENCRYPTION_KEYS: fake.buildEntry('stress', 'gigvault') };
    const api = await ApiProcess.start({ settings, services });
    try {
      await keepWriteAheadLog(api);
      const outages = await runOutages(api, fake, options);
      return { outages, ...(await searchEverywhere(api, services, fake)) };
    } finally {
      await api.stop();
    }
  } finally {
    await fake.stop();
  }
}

/** Prints a table and returns the results. @throws Error with each violated guarantee */
export function assertKeysStaySecret(results: readonly KeyServiceOutageResult[]): readonly KeyServiceOutageResult[] {
  console.table(results.flatMap(({ outages }) => outages));
  const violations = results.flatMap(({ outages, found, overlooked }) => [
    ...outages
      .filter(({ served, failed, refused, wrong }) => served === 0 || failed > 0 || refused === 0 || wrong > 0)
      .map((report) => JSON.stringify(report)),
    ...found.map((place) => `a plain key in ${place}`),
    ...overlooked.map((place) => `the search does not work in ${place}`),
  ]);
  if (violations.length > 0) throw new Error(violations.join('\n'));
  return results;
}

/** Lets PostgreSQL keep all segments: a checkpoint deletes those that the search must read. */
async function keepWriteAheadLog(api: ApiProcess): Promise<void> {
  await api.query("ALTER SYSTEM SET wal_keep_size = '100GB'");
  await api.query('SELECT pg_reload_conf()');
}

async function runOutages(
  api: ApiProcess,
  fake: FakeKeyService,
  options: KeyServiceOutageOptions,
): Promise<OutageReport[]> {
  const reports: OutageReport[] = [];
  for (const [outage, [begin, end]] of Object.entries(OUTAGES)) {
    const clients = await prepareClients(api, options.clients);
    try {
      await waitFor('every data key is in memory', () => clients.served.every(({ last }) => last === 'ok'));
      for (const client of clients.served) client.results.length = 0;
      await begin(fake);
      const during = await observeOutage(api, clients, options.holdMs);
      await end(fake);
      const all = [...clients.served, ...clients.needing];
      await waitFor('every client is answered 2xx', () => all.every(({ last }) => last === 'ok'));
      await waitForReadiness(api, 'ok');
      reports.push(buildReport(outage, clients, during));
    } finally {
      await Promise.all([...clients.served, ...clients.needing].map((client) => client.stop()));
    }
  }
  return reports;
}

/** Clients whose requests need no data key or one in memory, and clients that need the service. */
interface Clients {
  readonly served: readonly RepeatingClient[];
  readonly needing: readonly RepeatingClient[];
}

/** Creates the clients of one outage. Those that are served begin at once. */
async function prepareClients(api: ApiProcess, count: number): Promise<Clients> {
  const create = () => createCallers(api, count);
  const [plain, cached, uncached, newcomers] = [await create(), await create(), await create(), await create()];
  for (const caller of uncached) await waitFor('a data key is stored', async () => isOk(await storeTokens(caller)));
  await emptyMemory(api);
  const served = [
    ...plain.map((caller) => new RepeatingClient(() => createJob(caller))),
    ...cached.map((caller) => new RepeatingClient(() => storeTokens(caller))),
  ];
  const needing = [...uncached, ...newcomers].map((caller, i) => {
    const key = i % 2 === 0 ? randomUUID() : undefined;
    return new RepeatingClient(() => storeTokens(caller, key));
  });
  for (const client of served) client.start();
  return { served, needing };
}

/** Starts the clients that need the service, and counts the responses until each client has several. */
async function observeOutage(
  api: ApiProcess,
  { served, needing }: Clients,
  holdMs: number | undefined,
): Promise<{ readonly served: Counts; readonly needing: Counts }> {
  for (const client of needing) client.start();
  const all = [...served, ...needing];
  await waitFor('every client was answered', () => all.every(({ results }) => results.length >= ANSWERS));
  if (holdMs !== undefined) await pause(holdMs, 'the outage lasts this long');
  await waitForReadiness(api, 'warning');
  return { served: countResults(served), needing: countResults(needing) };
}

/** Builds the report, with failures also after the outage. */
function buildReport(
  outage: string,
  { served, needing }: Clients,
  during: { readonly served: Counts; readonly needing: Counts },
): OutageReport {
  const { refused, wrong } = countResults(served);
  return {
    outage,
    served: during.served.ok,
    failed: refused + wrong,
    refused: during.needing.refused,
    wrong: during.needing.ok + countResults(needing).wrong,
    unexpected: [...new Set([...served, ...needing].flatMap((client) => client.unexpected))],
    recovered: needing.filter(({ last }) => last === 'ok').length,
  };
}

/** Requests of each client during an outage, at least. */
const ANSWERS = 3;

async function createCallers(api: ApiProcess, count: number): Promise<Caller[]> {
  const callers: Caller[] = [];
  for (let i = 0; i < count; i++) callers.push(new Caller(api.url, await (await api.createAccount()).signIn()));
  return callers;
}

/** Creates and reads a job, which needs no data key. */
async function createJob(caller: Caller): Promise<Answer> {
  const created = await caller.post<{ id: number }>('/v1/jobs', { title: `Written during an outage: ${randomUUID()}` });
  return isOk(created) ? caller.get(`/v1/jobs/${created.body.id}`) : created;
}

/** Stores a connection, which needs the data key of the user. */
function storeTokens(caller: Caller, key?: string): Promise<Answer> {
  const tokens = { accessToken: 'oauth2v2_stress', refreshToken: 'oauth2v2_outage', expiresAt: '2099-01-31T09:30:00Z' };
  return caller.post('/v1/tokens', { provider: 'upwork', ...tokens }, key ? { 'idempotency-key': key } : {});
}

/** Cuts the API's subscriptions, after which it has forgotten all data keys, and waits until it has new ones. */
async function emptyMemory({ redisUrl }: ApiProcess): Promise<void> {
  const redis = new Redis(redisUrl);
  const list = async () =>
    String(await redis.call('CLIENT', 'LIST', 'TYPE', 'pubsub'))
      .split('\n')
      .filter((client) => / sub=[1-9]/.test(client))
      .map((client) => client.split(' ')[0]);
  try {
    const before = await list();
    await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await waitFor('new subscriptions', async () => (await list()).some((client) => !before.includes(client)));
  } finally {
    redis.disconnect();
  }
}

async function waitForReadiness({ url }: ApiProcess, state: 'ok' | 'warning'): Promise<void> {
  const caller = new Caller(url);
  await waitFor(`readiness: ${state}`, async () => {
    const { status, body } = await caller.get<{ checks: { encryption: { status: string } } }>('/health/ready');
    return status === 200 && body.checks.encryption.status === state;
  });
}

import { randomBytes } from 'node:crypto';
import { startFakeVendors, type FakeVendors } from '../../src/demo/fake-ai/fake-vendors';
import { GenerationStreamStoreService } from '../../src/ai/generations/generation-stream-store.service';
import { SharedCacheStore } from '../../src/platform/cache/shared-cache-store';
import { Database } from '../../src/platform/database/database';
import { buildTenantKey, eraseTenantKeys } from '../../src/platform/redis/tenant-keys';
import { REMOVE_ERASED_TEXTS } from '../../src/users/remove-erased-texts.task';
import { MATRIX } from '../rls/matrix';
import { createUser, signInFrom, type Credentials } from '../support/accounts';
import type { Answer, Caller } from '../support/caller';
import { DedicatedRedis } from '../support/dedicated-redis';
import {
  findMarker,
  readFiles,
  readRedisKeys,
  readServerLog,
  readTables,
  readTemporaryFiles,
} from '../support/marker-search';
import { buildExample, readOperations, type Operation, type Schema } from '../support/openapi-operations';
import { startApp, type TestApp } from '../support/test-app';
import { createManualWorker, type ManualWorker } from '../support/test-worker';
import { runAsUser } from '../support/run-as-user';
import { waitFor } from '../support/wait-for';

/** Operations of a session, of the account itself, of other services, and those that remove rows. */
const LEFT_OUT =
  /^(?:DELETE|GET) |\/(?:auth|admin|dev)\/|\/users\/me\/erase|\/sync$|\/tokens\/upwork\/|\/refresh$|\/resend$/;

/** Fields that take a known code only. */
const CODES = /^(?:model|.*currency)$/i;

/** Returns whether a property takes any text. */
function isFreeText({ type, enum: values, ...rest }: Schema): boolean {
  return [type].flat().includes('string') && values === undefined && !('format' in rest) && !('pattern' in rest);
}

/** Returns whether a property takes a list of any texts. */
function isTextList({ type, items }: Schema): boolean {
  return [type].flat().includes('array') && items !== undefined && isFreeText(items);
}

/** Places that contain the marker before the erasure. */
const MARKED_PLACES = [
  'files of Redis',
  'pg_catalog.pg_statistic',
  ...['ai_generations', 'idempotency_keys', 'jobs', 'messages', 'profiles', 'proposals', 'saved_searches', 'templates'],
  ...['user_tokens', 'users', 'webhooks'],
].map((name) => (/ |\./.test(name) ? name : `public.${name}`));

/** Operations that need another state than that of a new account; the wrong value still arrives. */
const REFUSED = [
  'POST /v1/audit/requests/{requestId}/undo',
  'POST /v1/jobs/import',
  'POST /v1/jobs/{id}/restore',
  'POST /v1/proposals/{id}/restore',
  'POST /v1/proposals/{id}/reject',
  'POST /v1/proposals/{id}/withdraw',
  'POST /v1/messages/{id}/discard',
  'POST /v1/webhooks/{id}/deliveries/{deliveryId}/retry',
  'POST /v1/saved-searches/{id}/restore',
  'POST /v1/templates/{id}/restore',
  'POST /v1/ai/generations/{id}/accept',
];

describe('the erasure of an account', () => {
  const marker = `zq${randomBytes(6).toString('hex')}`;
  const redis = new DedicatedRedis(false);
  const logged: string[] = [];
  let fake: FakeVendors;
  let app: TestApp;
  let worker: ManualWorker;
  let person: Credentials;
  let user: Caller;
  const statuses = new Map<string, number>();

  beforeAll(async () => {
    captureLogs();
    await redis.start();
    await redis.command('CONFIG', 'SET', 'save', '3600 1');
    fake = await startFakeVendors();
    const settings = { ...fake.settings, REDIS_URL: redis.url, CACHE_ENABLED: 'true', LOG_LEVEL: 'trace' };
    app = await startApp({ settings });
    worker = await createManualWorker(app);
    person = await createUser(app);
    user = await signInFrom(app, person, `browser ${marker}`);
  });
  afterAll(async () => {
    await worker.close();
    await app.close();
    await fake.close();
    await redis.stop();
  });

  /** Captures what the servers of this process log. With a replaced write(), pino uses it instead of the descriptor. */
  function captureLogs(): void {
    const write = process.stdout.write.bind(process.stdout) as (...values: unknown[]) => boolean;
    jest.spyOn(process.stdout, 'write').mockImplementation((text, ...others: unknown[]) => {
      return String(text).startsWith('{') ? logged.push(String(text)) > 0 : write(text, ...others);
    });
  }

  /** Reads every place where the installation keeps data, but the files of PostgreSQL. */
  const readPlaces = async (): Promise<Record<string, Buffer | string>> => ({
    ...(await readTables(app.db)),
    ...(await readRedisKeys(app.redis)),
    'files of Redis': readFiles(redis.folder),
    'log of PostgreSQL': await readServerLog(app.db),
    'log of the servers': logged.join('\n'),
    'temporary files': readTemporaryFiles(),
  });

  /** Gives another user a row in every table: PostgreSQL keeps the statistics of an emptied table. */
  async function insertRowsOfAnother(): Promise<void> {
    const { id: userId } = await createUser(app);
    const insert = (table: string, jobId: number) =>
      app.db.query<{ id: number }>('superuser', `${MATRIX[table]!.make({ userId, jobId })} RETURNING id`);
    const [job] = await insert('public.jobs', 0);
    for (const [table, { tenant }] of Object.entries(MATRIX)) {
      if (tenant === 'user_id' && table !== 'public.jobs')
        await app.db.query('superuser', MATRIX[table]!.make({ userId, jobId: job!.id }));
    }
  }

  /** Writes the marker into each text of the example body; with `isInvalid` into all other fields too. */
  function markBody({ body }: Operation, isInvalid: boolean): Record<string, unknown> {
    const marked = Object.entries(body?.properties ?? {}).flatMap(([name, property]): [string, unknown][] => {
      if (isTextList(property)) return [[name, [`${marker} ${name}`]]];
      if (isInvalid || (isFreeText(property) && !CODES.test(name))) return [[name, `${marker} ${name}`]];
      return [];
    });
    return { ...buildExample(body), ...Object.fromEntries(marked) };
  }

  /** Returns what replaces the examples of an operation: own ids, and texts of a form. */
  async function specialize(name: string): Promise<Record<string, unknown>> {
    const newest = async (path: string) => (await user.get(path)).body.items[0]?.id as number;
    const jobId = await newest('/v1/jobs');
    const special: Record<string, Record<string, unknown>> = {
      'POST /v1/proposals': { jobId },
      'POST /v1/messages': { jobId, roomId: undefined },
      'POST /v1/messages/read': { jobId },
      'POST /v1/tokens': { accessToken: marker, refreshToken: `${marker}-refresh`, organizationId: marker },
      'PATCH /v1/tokens/{id}': { organizationId: marker },
      'POST /v1/webhooks': { url: `https://hooks.example.com/${marker}` },
      'PATCH /v1/webhooks/{id}': { url: `https://hooks.example.com/${marker}/2` },
      'POST /v1/ai/generations': { jobId, templateId: await newest('/v1/templates') },
      'POST /v1/ai/generations/{id}/accept': { proposalId: await newest('/v1/proposals') },
    };
    if (name.includes('/saved-searches')) return { webhookId: await newest('/v1/webhooks') };
    return special[name] ?? {};
  }

  /** Returns the newest id of the collection that a path belongs to. */
  async function findId({ path }: Operation): Promise<string> {
    const { body } = await user.get(path.slice(0, path.indexOf('/{')));
    return String(body?.items?.[0]?.id ?? 1);
  }

  /** Sends an operation with the marker in all inputs: validly, with wrong values, and as a broken body. */
  async function sendMarked(operation: Operation): Promise<void> {
    const name = `${operation.method} ${operation.path}`;
    const path = operation.path.replace(/\{\w+\}/g, operation.path.includes('{') ? await findId(operation) : '');
    const body = { ...markBody(operation, false), ...(await specialize(name)) };
    const { status } = await user.send(operation.method, path, body, {
      'idempotency-key': `${marker}-${name.replace(' ', '-')}`,
    });
    statuses.set(name, status);
    await user.send(operation.method, path, markBody(operation, true));
    await user.send(operation.method, `${path}?${marker}=${marker}`, `{"broken": "${marker}"`);
  }

  async function importMarked(): Promise<void> {
    const send = (body: string, type: string) => user.post('/v1/jobs/import', body, { 'content-type': type });
    await send(`title,description\n${marker},${marker}\n`, 'text/csv');
    await send(`title,${marker}\nx,y\n`, 'text/csv');
    await send(`title,budgetMin\nx,${marker}\n`, 'text/csv');
    await send(`{"title":"${marker} 2"}\n{"title":"${marker} 3","budgetMin":"${marker}"}\n`, 'application/x-ndjson');
    await send(`[{"title":"${marker} 4"},{"${marker}":1}]`, 'application/json');
  }

  /** Lets a provider refuse a draft and quote its input. */
  async function draftWithErrors(): Promise<void> {
    const text = JSON.stringify({ error: { message: `cannot write about ${marker}` } });
    fake.setBehaviour(() => ({ status: 400, body: { type: 'application/json', text } }));
    await user.post('/v1/ai/generations', { type: 'message', instructions: marker });
  }

  /** Reads until the cache of Redis contains the marker, and sends it as a search text, a path and an error of SQL. */
  async function readMarked(): Promise<void> {
    const path = `/v1/jobs/${(await user.get('/v1/jobs')).body.items[0].id}`;
    await waitFor('the job is cached', async () => {
      await user.get(path);
      return (await app.redis.keys('tenant:*:jobs:*')).length > 0;
    });
    for (const search of [`?q=${marker}`, `?cursor=${marker}`, `?${marker}=1`, `/${marker}`]) {
      await user.get(`/v1/jobs${search}`);
    }
    await expect(app.db.query('app', 'SELECT $1::integer', [marker])).rejects.toThrow(marker);
    const query = () => app.get(Database).query('SELECT $1::integer', [marker]);
    await expect(runAsUser(person.id, query)).rejects.toThrow('invalid input syntax for type integer: "…"');
  }

  async function writeMarkerEverywhere(): Promise<void> {
    fake.setBehaviour(() => ({ chunks: [`draft ${marker}`, ' the end'] }));
    const operations = await readOperations(app.url);
    const isMarked = ({ method, path }: Operation) => !LEFT_OUT.test(`${method} ${path}`);
    for (const operation of operations.filter(isMarked)) await sendMarked(operation);
    await importMarked();
    await draftWithErrors();
    await readMarked();
    await app.db.query('superuser', 'ANALYZE');
    await redis.command('SAVE');
  }

  async function erase(): Promise<Answer> {
    await user.post('/v1/auth/step-up', { password: person.password });
    return user.post('/v1/users/me/erase');
  }

  it('leaves texts of the user nowhere: tables, Redis and its files, statistics, logs, temporary files', async () => {
    await insertRowsOfAnother();
    await writeMarkerEverywhere();
    const before = findMarker(marker, await readPlaces());

    const erased = await erase();
    const inRedis = findMarker(marker, await readRedisKeys(app.redis));
    await worker.runQueued(REMOVE_ERASED_TEXTS.id);

    // The search finds the marker where it is.
    expect(before).toEqual(expect.arrayContaining(MARKED_PLACES));
    expect([...statuses].filter(([, status]) => status >= 400).map(([name]) => name)).toEqual(REFUSED);
    expect(erased).toMatchObject({ status: 200, body: { deletedRows: { jobs: 4, ai_generations: 2 } } });
    expect(inRedis).toEqual([]);
    expect(findMarker(marker, await readPlaces())).toEqual([]);
    expect(logged.join('\n')).toContain('/v1/jobs/import');
  });

  it('refuses texts that a request writes to Redis after the erasure', async () => {
    const other = await createUser(app);
    const write = async (seq: number): Promise<string[]> => {
      app.get(SharedCacheStore).put(other.id, buildTenantKey(other.id, `late-${seq}`), '{}');
      await runAsUser(other.id, () => {
        const writer = app.get(GenerationStreamStoreService).createWriter(4711);
        writer.append({ seq, text: 'late' });
        writer.finish();
        return Promise.resolve();
      });
      // Redis answers in order.
      await app.redis.ping();
      return app.redis.keys(buildTenantKey(other.id, '*'));
    };

    expect(await write(1)).toHaveLength(2);
    expect(await eraseTenantKeys(app.redis, other.id)).toBe(2);

    expect(await write(2)).toEqual([]);
  });
});

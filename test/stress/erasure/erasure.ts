import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import Redis from 'ioredis';
import { REMOVE_ERASED_TEXTS } from '../../../src/users/remove-erased-texts.task';
import { BenchServices } from '../../bench/services';
import { Caller } from '../../support/caller';
import { readIfPresent } from '../../support/marker-search';
import { waitFor } from '../../support/wait-for';
import { ApiProcess, type StressAccount } from '../api-process';

/** Places and their files. */
const PLACES: Readonly<Record<string, RegExp>> = {
  'write-ahead log': /\/pg_wal\//,
  'data files': /\/postgres\/base\//,
  'files of Redis': /\/redis\//,
  logs: /\.log$/,
};

/** Jobs of one import; both users take turns, so that their rows share pages. */
const JOBS_PER_IMPORT = 10;

/** The result. */
export interface ErasureResult {
  readonly erasedJobs: number;
  /** Places that contained the text before the erasure. */
  readonly before: readonly string[];
  /** Places that contain it after all that the certificate states; only the data files may. */
  readonly after: readonly string[];
}

/**
 * Erases an account whose rows share pages with those of another user, waits for the task and for autovacuum, changes
 * the rows of the other user, and searches for a text of the erased one. Ends segments of the write-ahead log and
 * requests the second run of the task instead of waiting for an hour.
 */
export async function stressErasure({ imports }: { imports: number }): Promise<ErasureResult> {
  const services = new BenchServices();
  const text = `zq${randomBytes(6).toString('hex')} zq${randomBytes(6).toString('hex')}`;
  const settings = { CACHE_ENABLED: 'true', LOG_LEVEL: 'trace' };
  const api = await ApiProcess.start({ services, settings, hasWorker: true });
  try {
    const [person, neighbour, admin] = [await api.createAccount(), await api.createAccount(), await signInAdmin(api)];
    const user = new Caller(api.url, await person.signIn());
    const other = new Caller(api.url, await neighbour.signIn());
    for (let i = 0; i < imports; i++) {
      await importJobs(user, `${text} ${i}`);
      await importJobs(other, `neighbour ${i}`);
    }
    await cacheJob(api, user);
    await api.query('CHECKPOINT');
    const before = findPlaces(services, text);
    await erase(user, person);
    await waitForRun(api, 1);
    await waitForAutovacuum(api);
    await admin.post(`/v1/admin/tasks/${REMOVE_ERASED_TEXTS.id}/run`, { reason: 'instead of waiting for an hour' });
    await waitForRun(api, 2);
    await endSegment(api);
    await api.query(`UPDATE jobs SET is_favorite = NOT is_favorite WHERE user_id = $1`, [neighbour.id]);
    return { erasedJobs: imports * JOBS_PER_IMPORT, before, after: findPlaces(services, text) };
  } finally {
    await api.stop();
  }
}

/** Returns the result. @throws Error when a text is in another place than the certificate of the erasure names */
export function assertErased(result: ErasureResult): ErasureResult {
  const places = result.after.filter((place) => place !== 'data files');
  if (places.length > 0) throw new Error(`An erased text is still in: ${places.join(', ')}`);
  return result;
}

async function signInAdmin(api: ApiProcess): Promise<Caller> {
  const account = await api.createAccount('admin');
  const admin = new Caller(api.url, await account.signIn());
  await admin.post('/v1/auth/step-up', { password: account.password });
  return admin;
}

async function importJobs(user: Caller, title: string): Promise<void> {
  const lines = Array.from({ length: JOBS_PER_IMPORT }, (_, i) => {
    // Random characters: PostgreSQL compresses others, and the search would miss them.
    return JSON.stringify({ title: `${title} ${i}`, description: `${randomBytes(200).toString('hex')} ${title}` });
  });
  const { status } = await user.post('/v1/jobs/import', lines.join('\n'), { 'content-type': 'application/x-ndjson' });
  if (status !== 200) throw new Error(`The import was answered ${status}`);
}

/** Reads a job until Redis has it. */
async function cacheJob(api: ApiProcess, user: Caller): Promise<void> {
  const { body } = await user.get('/v1/jobs?limit=1');
  const redis = new Redis(api.redisUrl);
  await waitFor('the job is cached', async () => {
    await user.get(`/v1/jobs/${body.items[0].id}`);
    return (await redis.keys('tenant:*')).length > 0;
  }).finally(() => redis.disconnect());
}

async function erase(user: Caller, { password }: StressAccount): Promise<void> {
  await user.post('/v1/auth/step-up', { password });
  const { status } = await user.post('/v1/users/me/erase');
  if (status !== 200) throw new Error(`The erasure was answered ${status}`);
}

/** Waits until the task has succeeded that often. @throws Error when it has failed */
async function waitForRun(api: ApiProcess, runs: number): Promise<void> {
  await waitFor('the task has run', async () => {
    const [row] = await api.query<{ runs: string; failed: string }>(
      `SELECT count(*) FILTER (WHERE outcome = 'succeeded') AS runs,
         count(*) FILTER (WHERE outcome = 'failed') AS failed
       FROM task_runs WHERE task = $1`,
      [REMOVE_ERASED_TEXTS.id],
    );
    if (Number(row?.failed) > 0) throw new Error('The task failed.');
    return Number(row?.runs) >= runs;
  });
}

async function waitForAutovacuum(api: ApiProcess): Promise<void> {
  const readTables = () =>
    api.query<{ isVacuumed: boolean | null }>(
      `SELECT relname AS name, n_dead_tup AS "deadRows", n_ins_since_vacuum AS "insertedRows", last_autovacuum AS at,
         last_autovacuum > (SELECT max(created_at) FROM security_logs WHERE event_type = 'audit.forgotten')
           AS "isVacuumed"
       FROM pg_stat_user_tables WHERE relname IN ('jobs', 'users', 'audit_logs_' || extract(year FROM now()))`,
    );
  await waitFor('autovacuum has removed the rows', async () =>
    (await readTables()).every(({ isVacuumed }) => isVacuumed === true),
  ).catch(async (cause: unknown) => {
    throw new Error(`Autovacuum left out a table: ${JSON.stringify(await readTables())}`, { cause });
  });
}

/** Ends the current segment of the write-ahead log as archive_timeout does; the checkpoint deletes the older ones. */
async function endSegment(api: ApiProcess): Promise<void> {
  await api.query('SELECT pg_switch_wal()');
  await api.query('CHECKPOINT');
}

/** Returns the places that contain the text: files of the services and a dump. */
function findPlaces(services: BenchServices, text: string): string[] {
  const files = readdirSync(services.folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const contains = (pattern: RegExp) => files.some((file) => pattern.test(file) && readIfPresent(file).includes(text));
  const found = Object.entries(PLACES).flatMap(([name, pattern]) => (contains(pattern) ? [name] : []));
  return [...found, ...(dumpDatabase(services.buildUrl('backup')).includes(text) ? ['dump'] : [])];
}

/** Dumps the database as a backup would; empty without pg_dump. */
function dumpDatabase(url: string): Buffer {
  const { status, stdout, stderr } = spawnSync('pg_dump', ['--format=plain', '--exclude-schema=secrets', url], {
    maxBuffer: 2 ** 30,
  });
  if (status !== null && status !== 0) throw new Error(`pg_dump: ${stderr.toString()}`);
  return stdout ?? Buffer.alloc(0);
}

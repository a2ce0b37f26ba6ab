import { spawnSync } from 'node:child_process';
import { appendFileSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Redis from 'ioredis';
import { withClient } from '../../../src/local-services/database-setup';
import type { InstallationServices } from '../../../src/local-services/server-environment';
import { FakeUpwork } from '../../../src/demo/fake-upwork/fake-upwork';
import { Caller } from '../../support/caller';
import { createCanary, CanaryEndpoints, startEchoingVendor } from './canary-endpoints';
import { findCanaries, encodeCanary, type Canary, type Place } from './canary-encodings';
import { ADMIN_SETTINGS, StressInstallation } from '../installation';
import { pause } from '../../support/wait-for';

/** The result; `found` and `overlooked` must be empty. */
export interface CanaryResult {
  readonly secrets: number;
  readonly answers: number;
  /** The number of responses with each status. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly mebibytes: number;
  /** The program that made the dump, or why there is none. */
  readonly dump: string;
  readonly found: readonly string[];
  /** Secrets planted on purpose, one in each encoding and place, that the search did not find. */
  readonly overlooked: readonly string[];
}

const PAGES = [
  '',
  '/runs',
  '/database',
  '/partitions',
  '/security',
  '/users',
  '/keys',
  '/queues/api/queues',
  '/script.js',
];
const ROUTES = [
  '/metrics',
  '/v1/admin/audit/logs',
  '/v1/admin/security-logs',
  '/v1/admin/users',
  '/v1/admin/tasks',
  '/v1/admin/encryption-keys',
  '/v1/admin/database',
  '/v1/admin/database/slow-queries',
];

/**
 * Runs a whole installation with full logging, sends secrets to every endpoint, and searches for each in every
 * encoding. It searches a dump by gigvault_backup, Redis (its snapshot and its command log, with queues), the logs of
 * all processes, pg_stat_statements, responses, metrics and the admin's pages.
 */
export async function stressCanary(): Promise<CanaryResult> {
  const upwork = await new FakeUpwork().start();
  const vendor = await startEchoingVendor();
  const vendorKey = 'sk-canary-2b7e151628aed2a6';
  const installation = new StressInstallation({
    ...upwork.settings,
    LOG_LEVEL: 'trace',
    AUTH_THROTTLE_SCALE: '1000',
    AI_PROVIDERS: 'openai',
    AI_OPENAI_API_KEY: vendorKey,
    AI_OPENAI_BASE_URL: vendor.url,
  });
  try {
    const services = await installation.start();
    const admin = await signInAdmin(services.api);
    const doors = new CanaryEndpoints(services.api, admin, upwork);
    doors.recordAnswer('key of the AI vendor', vendorKey);
    doors.recordAnswer('secret of the Upwork application', upwork.settings['UPWORK_CLIENT_SECRET']!);
    doors.recordAnswer('password of the admin', ADMIN_SETTINGS.GIGVAULT_ADMIN_PASSWORD);
    await doors.callAll();
    await admin.post('/v1/admin/encryption-keys/rotate', { reason: 'a stress scenario' });
    await pause(3_000, 'logs, metrics and traces are written after the responses');
    for (const secret of readKeys(installation, services)) doors.recordAnswer(secret.name, secret.value);
    const planted = await plantCanaries(installation, services);
    const places = [...(await readAnswers(doors, admin, services.api)), ...(await readStores(installation, services))];
    return {
      secrets: doors.canaries.length,
      answers: doors.answers.length,
      statuses: countValues(doors.answers.map(({ status }) => String(status))),
      mebibytes: Math.round(places.reduce((sum, { bytes }) => sum + bytes.length, 0) / 1_048_576),
      dump: places.some(({ name }) => name === 'dump') ? 'pg_dump' : 'left out: there is no pg_dump on PATH',
      found: findCanaries(doors.canaries, places),
      overlooked: overlooked(planted, places),
    };
  } finally {
    await installation.remove();
    vendor.stop();
    await upwork.stop();
  }
}

function countValues(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

async function signInAdmin(url: string): Promise<Caller> {
  const { GIGVAULT_ADMIN_EMAIL: email, GIGVAULT_ADMIN_PASSWORD: password } = ADMIN_SETTINGS;
  const { body } = await new Caller(url).post('/v1/auth/login', { email, password });
  const admin = new Caller(url, body.accessToken);
  await admin.post('/v1/auth/step-up', { password });
  return admin;
}

/** Lists the launcher's secrets: root key, master keys (with the new one), passwords of the services. */
function readKeys(installation: StressInstallation, { postgres, redis }: InstallationServices): Canary[] {
  const read = (file: string) =>
    JSON.parse(readFileSync(join(installation.folder, file), 'utf8')) as Record<
      string,
      string & Record<string, string>
    >;
  const bytes = (name: string, base64: string) => ({ name, value: Buffer.from(base64, 'base64').toString('latin1') });
  const masterKeys = Object.entries(read('encryption-keys.json')['keys']!);
  return [
    { name: 'SECRET_KEY', value: read('secrets.json')['SECRET_KEY']! },
    ...masterKeys.flatMap(([id, key]) => [
      { name: `master key ${id}`, value: key },
      bytes(`bytes of master key ${id}`, key),
    ]),
    ...Object.entries({ ...postgres, redis: redis! }).map(([role, url]) => ({
      name: `password of ${role}`,
      value: decodeURIComponent(new URL(url).password),
    })),
  ];
}

/** Where a secret could leak, by place. */
const PLANTED_IN = ['dump', 'snapshot of Redis', 'commands of Redis', 'logs'];

/** Plants a secret in each encoding where it could leak, to check that the search finds it. */
async function plantCanaries(installation: StressInstallation, services: InstallationServices): Promise<Canary[]> {
  // COPY itself creates its encoding in the dump.
  const forms = Object.keys(encodeCanary('')).filter((form) => !form.startsWith('copy'));
  const planted = forms.map((form) => ({ name: `planted as ${form}`, value: createCanary(), form }));
  const texts = planted.map(({ value, form }) => encodeCanary(value)[form]!);
  await withClient(services.postgres!.superuser, async (client) => {
    await client.query(
      `INSERT INTO task_runs (task, started_by, outcome, started_at, ended_at, error)
       SELECT 'planted', 'boot', 'failed', now(), now(), text FROM unnest($1::text[]) text`,
      [texts],
    );
    await client.query(
      `INSERT INTO audit_logs (table_name, action, new_values)
       VALUES ('jobs', 'INSERT', jsonb_build_object('planted', $1::text))`,
      [planted[0]!.value],
    );
  });
  await withRedis(services, async (redis) => {
    for (const [i, text] of texts.entries()) await redis.set(`planted-${i}`, text);
  });
  appendFileSync(join(installation.folder, 'logs', 'worker.log'), `${texts.join('\n')}\n`);
  return planted;
}

function overlooked(planted: readonly Canary[], places: readonly Place[]): string[] {
  const where = places.filter(({ name }) => PLANTED_IN.includes(name));
  return planted.flatMap((canary) =>
    where
      .filter((place) => findCanaries([canary], [place]).length === 0)
      .map(({ name }) => `${canary.name} in ${name}`),
  );
}

async function readAnswers({ answers }: CanaryEndpoints, admin: Caller, url: string): Promise<Place[]> {
  const texts = answers.map(
    ({ status, headers, body }) =>
      `${status} ${JSON.stringify([...headers])} ${typeof body === 'string' ? body : JSON.stringify(body)}`,
  );
  for (const route of ROUTES) texts.push(JSON.stringify((await admin.get(route)).body));
  const cookie = await dashboardCookie(url);
  for (const page of PAGES)
    texts.push(await (await fetch(`${url}/admin${page}`, { headers: { cookie, accept: 'text/html' } })).text());
  return [{ name: 'answers and pages', bytes: Buffer.from(texts.join('\n')) }];
}

async function dashboardCookie(url: string): Promise<string> {
  const { GIGVAULT_ADMIN_EMAIL: email, GIGVAULT_ADMIN_PASSWORD: password } = ADMIN_SETTINGS;
  const answer = await fetch(`${url}/admin/sign-in`, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: url },
    body: new URLSearchParams({ email, password }),
  });
  return answer.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
}

async function readStores(installation: StressInstallation, services: InstallationServices): Promise<Place[]> {
  return [
    ...dumpDatabase(services),
    await readStatements(services),
    ...(await readRedisFiles(services)),
    readLogs(installation),
  ];
}

/** Makes a dump as a backup would; nothing without pg_dump. */
function dumpDatabase({ postgres }: InstallationServices): Place[] {
  const { backup } = postgres!;
  const { status, stdout, stderr } = spawnSync('pg_dump', ['--format=plain', '--exclude-schema=secrets', backup], {
    maxBuffer: 2 ** 30,
  });
  // pg_dump was not started.
  if (status === null) return [];
  if (status !== 0) throw new Error(`pg_dump: ${stderr.toString()}`);
  return [{ name: 'dump', bytes: stdout }];
}

async function readStatements({ postgres }: InstallationServices): Promise<Place> {
  const rows = await withClient(
    postgres!.superuser,
    async (client) => (await client.query<{ query: string }>('SELECT query FROM pg_stat_statements')).rows,
  );
  return { name: 'pg_stat_statements', bytes: Buffer.from(rows.map(({ query }) => query).join('\n')) };
}

/** Returns the uncompressed snapshot and the log of all commands since the start, deleted keys included. */
async function readRedisFiles(services: InstallationServices): Promise<Place[]> {
  return withRedis(services, async (redis) => {
    await redis.config('SET', 'rdbcompression', 'no');
    await redis.save();
    const [, folder] = (await redis.config('GET', 'dir')) as [string, string];
    const [, log] = (await redis.config('GET', 'appenddirname')) as [string, string];
    return [
      { name: 'snapshot of Redis', bytes: readFileSync(join(folder, 'dump.rdb')) },
      { name: 'commands of Redis', bytes: readFolder(join(folder, log)) },
    ];
  });
}

async function withRedis<T>({ redis: url }: InstallationServices, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url!);
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

function readLogs(installation: StressInstallation): Place {
  return {
    name: 'logs',
    bytes: Buffer.concat([readFolder(join(installation.folder, 'logs')), Buffer.from(installation.launcherOutput)]),
  };
}

function readFolder(folder: string): Buffer {
  const files = readdirSync(folder).map((name) => join(folder, name));
  return Buffer.concat(files.filter((file) => statSync(file).isFile()).map((file) => readFileSync(file)));
}

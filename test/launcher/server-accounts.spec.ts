import { readFileSync, statSync } from 'node:fs';
import { LOGIN_SETTINGS } from '../../src/platform/config/process-settings';
import type { InstallationServices } from '../../src/local-services/server-environment';
import { Checkout, type LauncherRun } from '../support/checkout';

const isRoot = process.getuid?.() === 0;

/** Variables that the launcher or the operator has and no server may have. */
const SECRETS_OF_THE_OPERATOR = {
  DATABASE_SUPERUSER_URL: 'postgres://postgres:secret@db.invalid/x',
  POSTGRES_PASSWORD: 'secret',
  GIGVAULT_ADMIN_EMAIL: 'admin@example.com',
  GIGVAULT_ADMIN_PASSWORD: 'long enough',
  AI_OPENAI_API_KEY: 'secret',
  BACKUP_SCRATCH_URL: 'postgres://postgres:secret@db.invalid/y',
};

const EXAMINED = [...LOGIN_SETTINGS, ...Object.keys(SECRETS_OF_THE_OPERATOR), 'SECRET_KEY', 'REDIS_URL'].sort();

const SHARED = ['DATABASE_AUTH_URL', 'DATABASE_MONITOR_URL', 'DATABASE_URL', 'REDIS_URL', 'SECRET_KEY'];

/** The examined variables of each process. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  api: [...SHARED, 'AI_OPENAI_API_KEY', 'DATABASE_ADMIN_URL', 'GIGVAULT_ADMIN_EMAIL', 'GIGVAULT_ADMIN_PASSWORD'].sort(),
  worker: [...SHARED, 'BACKUP_SCRATCH_URL', 'DATABASE_BACKUP_URL', 'DATABASE_WORKER_URL'].sort(),
  migrations: ['DATABASE_MIGRATION_URL'],
  'fake-upwork': [],
  'fake-ai': [],
  postgres: [],
  redis: [],
};

/** Script that notes environment and user of the process of the migrations, which ends before a test sees it. */
const RECORD_MIGRATIONS = `
  if (process.argv[1]?.endsWith('migration-process.js')) {
    const { appendFileSync, readFileSync } = require('node:fs');
    const read = (name) => readFileSync('/proc/self/' + name, 'utf8');
    const proc = { environ: read('environ'), status: read('status') };
    appendFileSync('EVENTS', JSON.stringify(proc) + '\\n');
  }`;

interface ProcessFacts {
  readonly names: string[];
  readonly userId: number;
}

function readFacts(environ: string, status: string): ProcessFacts {
  const variables = environ.split('\0').map((line) => line.slice(0, line.indexOf('=')));
  const [, real = '', effective = '', saved = ''] = /^Uid:\s+(\d+)\s+(\d+)\s+(\d+)/m.exec(status) ?? [];
  expect([effective, saved]).toEqual([real, real]);
  return { names: EXAMINED.filter((name) => variables.includes(name)), userId: Number(real) };
}

function readProcess(pid: number): ProcessFacts {
  return readFacts(readFileSync(`/proc/${pid}/environ`, 'utf8'), readFileSync(`/proc/${pid}/status`, 'utf8'));
}

/** Returns the facts of each process of the installation but the launcher, which the operator starts. */
function readProcesses({ pids }: InstallationServices): Record<string, ProcessFacts> {
  const servers = Object.entries(pids).filter(([name]) => name !== 'launcher');
  return Object.fromEntries(servers.map(([name, pid]) => [name, readProcess(pid)]));
}

describe.each([
  ['a checkout that every account may enter', false],
  ['a checkout below a folder that only root may enter', true],
])('the processes of npm start in %s', (_, isClosed) => {
  let checkout: Checkout;
  let run: LauncherRun;
  let services: InstallationServices;

  beforeAll(async () => {
    checkout = new Checkout({ isClosed });
    checkout.addFiles('tsconfig.json', 'src/demo', 'src/upwork/schema/schema.graphql');
    const script = checkout.writeScript('record.cjs', RECORD_MIGRATIONS.replace('EVENTS', checkout.events));
    const env = { ...SECRETS_OF_THE_OPERATOR, NODE_OPTIONS: `--require ${script}` };
    run = checkout.start(env, '--fake-upwork', '--fake-ai');
    services = await run.waitUntilReady();
  });
  afterAll(() => checkout.remove());

  it('have only their own logins and secrets, and none runs as root', () => {
    const migrations = JSON.parse(readFileSync(checkout.events, 'utf8').split('\n')[0]!) as Record<string, string>;
    const processes: Record<string, ProcessFacts> = {
      ...readProcesses(services),
      migrations: readFacts(migrations['environ']!, migrations['status']!),
    };

    expect(Object.fromEntries(Object.entries(processes).map(([name, { names }]) => [name, names]))).toEqual(EXPECTED);
    for (const [name, { userId }] of Object.entries(processes)) expect([name, userId]).not.toEqual([name, 0]);
    if (isRoot) expect(processes['api']!.userId).not.toBe(processes['worker']!.userId);
  });

  it('serve requests after a restart, with keys and backups in a folder of their own under root', async () => {
    process.kill(services.pids['api']!, 'SIGKILL');
    services = await run.waitForServices(({ pids }) => pids['api'] !== services.pids['api']);
    await run.waitForOutput('The API is ready again.');

    const answer = await (await fetch(services.api)).text();

    const { names, userId } = readProcess(services.pids['api']!);
    const keyFile = statSync(checkout.createDataFolder('encryption-keys.json'));
    expect(answer).toBe('served');
    expect(names).toEqual(EXPECTED['api']);
    expect(userId === 0).toBe(false);
    expect(keyFile.mode & 0o777).toBe(isRoot ? 0o640 : 0o600);
    expect(keyFile.uid).toBe(readProcess(services.pids['worker']!).userId);
  });
});

import { copyFileSync, existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { withClient } from '../../src/local-services/database-setup';
import { migrationNames } from '../../src/platform/database/schema/migrations';
import type { InstallationServices } from '../../src/local-services/server-environment';
import { Checkout, listStillRunning } from '../support/checkout';
import { CommandInstallation } from '../support/command-installation';
import { waitFor } from '../support/wait-for';

/** Script that ends the API before it listens. */
const API_ENDS = `if (process.argv[1]?.endsWith('main.js')) { console.log('its last line'); process.exit(3); }`;

/** The settings of the databases, and the keys of their roles in services.json. */
const URL_ROLES = {
  DATABASE_URL: 'app',
  DATABASE_AUTH_URL: 'auth',
  DATABASE_WORKER_URL: 'worker',
  DATABASE_ADMIN_URL: 'admin',
  DATABASE_MIGRATION_URL: 'owner',
  DATABASE_BACKUP_URL: 'backup',
  DATABASE_MONITOR_URL: 'monitor',
} as const;

describe('npm start', () => {
  let checkout: Checkout;
  beforeAll(() => (checkout = new Checkout()));
  afterAll(() => checkout.remove());

  function readEvents(): string {
    return readFileSync(checkout.events, 'utf8');
  }

  function getSuperuserUrl(services: InstallationServices): string {
    return services.postgres?.superuser ?? '';
  }

  it('lists the services in a file for its owner; Ctrl-C drains the API before Redis and PostgreSQL end', async () => {
    const run = checkout.start();
    const services = await run.waitUntilReady();
    const mode = statSync(checkout.createDataFolder('services.json')).mode & 0o777;
    const slow = fetch(`${services.api}/slow`).then((answer) => answer.text());
    await waitFor('the API has the request', () => readEvents().includes('asked for /slow'));

    const code = await run.interrupt();

    expect(mode).toBe(0o600);
    expect(Object.keys(services.pids).sort()).toEqual(['api', 'launcher', 'postgres', 'redis', 'worker']);
    expect(Object.keys(services.postgres ?? {}).sort()).toEqual([
      'admin',
      'app',
      'auth',
      'backup',
      'monitor',
      'owner',
      'superuser',
      'worker',
    ]);
    expect(await slow).toBe('served');
    expect(code).toBe(0);
    expect(readEvents()).toContain('drained, postgres up, redis up');
    expect(readEvents()).not.toContain('interrupted');
    expect(listStillRunning(services)).toEqual([]);
    expect(existsSync(checkout.createDataFolder('services.json'))).toBe(false);
  });

  it('keeps data, ports and secrets between starts, and shows a password once', async () => {
    const first = checkout.start();
    const before = await first.waitUntilReady();
    await withClient(getSuperuserUrl(before), (client) => client.query('CREATE TABLE IF NOT EXISTS kept (id int)'));
    await first.interrupt();
    const second = checkout.start();
    const after = await second.waitUntilReady();

    const kept = await withClient(getSuperuserUrl(after), (client) =>
      client.query("SELECT to_regclass('kept') AS name, (SELECT count(*)::int FROM schema_migrations) AS migrations"),
    );

    expect(kept.rows).toEqual([{ name: 'kept', migrations: migrationNames().length }]);
    expect(after.postgres).toEqual(before.postgres);
    expect(after.redis).toBe(before.redis);
    expect(second.output).not.toContain('First admin');
    await second.interrupt();
  });

  it('recovers after a kill -9 of the launcher: stops the orphaned processes, and starts', async () => {
    const killed = checkout.start();
    const orphans = await killed.waitUntilReady();
    process.kill(killed.pid, 'SIGKILL');
    await killed.exited;

    const run = checkout.start();
    const services = await run.waitUntilReady();

    expect(listStillRunning(orphans)).toEqual([]);
    expect(await (await fetch(services.api)).text()).toBe('served');
    await run.interrupt();
  });

  it('refuses a second launcher on the same data', async () => {
    const first = checkout.start();
    await first.waitUntilReady();

    const second = checkout.start();

    expect(await second.exited).toBe(1);
    expect(second.output).toContain('already runs here');
    await first.interrupt();
  });

  it('restarts a killed process, leaves the others alone, and lists the new process', async () => {
    const run = checkout.start();
    let services = await run.waitUntilReady();
    const { launcher } = services.pids;

    for (const [name, title] of [
      ['api', 'The API'],
      ['worker', 'The worker'],
      ['postgres', 'PostgreSQL'],
      ['redis', 'Redis'],
    ] as const) {
      const { [name]: victim = 0, ...others } = services.pids;
      process.kill(victim, 'SIGKILL');
      services = await run.waitForServices(({ pids }) => pids[name] !== victim);

      expect(services.pids).toEqual({ ...others, [name]: expect.any(Number) });
      expect(run.output).toContain(`${title} ended (signal SIGKILL). It is started again in 1 s.`);
    }
    await run.waitForOutput('The API is ready again.');
    const lock = JSON.parse(readFileSync(checkout.createDataFolder('launcher.json'), 'utf8')) as Record<
      string,
      { pid: number }
    >;
    const kept = await withClient(getSuperuserUrl(services), (client) => client.query('SELECT 1 AS one'));
    const code = await run.interrupt();

    expect(kept.rows).toEqual([{ one: 1 }]);
    expect([lock.launcher?.pid, lock.api?.pid, lock.worker?.pid]).toEqual([
      launcher,
      services.pids.api,
      services.pids.worker,
    ]);
    expect(code).toBe(0);
    expect(listStillRunning(services)).toEqual([]);
  });

  it('prints why the API does not start, with the end of its log', async () => {
    const run = checkout.start({ NODE_OPTIONS: `--require ${checkout.writeScript('ends.cjs', API_ENDS)}` });

    expect(await run.exited).toBe(1);
    expect(run.output).toContain('The API ended (code 3)');
    expect(run.output).toContain('its last line');
    expect(existsSync(checkout.createDataFolder('services.json'))).toBe(false);
  });

  it.each(['PORT', 'METRICS_PORT'])('names %s when the port is taken', async (name) => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await new Promise((done) => blocker.once('listening', done));
    const { port } = blocker.address() as { port: number };

    const run = checkout.start({ [name]: String(port) });

    expect(await run.exited).toBe(1);
    expect(run.output).toContain(
      `did not start. ${name} ${port} of 127.0.0.1 is taken. Choose another: put ${name}=${port + 1}`,
    );
    blocker.close();
  });

  it('starts the requested fakes, passes their settings to the API, and refuses other options', async () => {
    const withoutSources = checkout.start({}, '--fake-upwork');
    expect(await withoutSources.exited).toBe(1);
    expect(withoutSources.output).toContain('--fake-upwork needs a checkout');
    checkout.addFiles('tsconfig.json', join('src', 'demo'), join('src', 'upwork', 'schema', 'schema.graphql'));

    const run = checkout.start({}, '--fake-upwork', '--fake-ai');
    const services = await run.waitUntilReady();
    const hello = await fetch(`${services.fakeUpwork}/control/hello`, { method: 'POST' });
    const settings = await (await fetch(`${services.api}/fakes`)).text();
    await run.interrupt();
    const unknown = checkout.start({}, '--fake');

    expect(hello.status).toBe(200);
    expect(settings).toBe(`${services.fakeUpwork}/graphql ${services.fakeAi}/openai/v1`);
    expect(services.pids).toHaveProperty('fake-upwork');
    expect(services.pids).toHaveProperty('fake-ai');
    expect(listStillRunning(services)).toEqual([]);
    expect(await unknown.exited).toBe(1);
    expect(unknown.output).toContain('npm start -- --help prints the options');
  });

  it('prints its options at --help and ends', async () => {
    const run = checkout.start({}, '--help');

    expect(await run.exited).toBe(0);
    for (const text of ['--fake-upwork', '--fake-ai', '--no-fakes', '--watch', '--inspect', '.env', 'Exit codes'])
      expect(run.output).toContain(text);
  });

  it('accepts an unchanged copy of .env.example as .env', async () => {
    checkout.addFiles('.env.example');
    copyFileSync(join(checkout.path, '.env.example'), join(checkout.path, '.env'));

    const run = checkout.start();
    const services = await run.waitUntilReady();
    await run.interrupt();
    rmSync(join(checkout.path, '.env'));

    expect(Object.keys(services.pids).sort()).toEqual(['api', 'launcher', 'postgres', 'redis', 'worker']);
  });

  it('names each external service that refuses or does not answer, and prints no value', async () => {
    const running = checkout.start();
    const { redis = '', postgres } = await running.waitUntilReady();
    const wrong = (url: string): string => url.replace(/:[^:@/]+@/, ':secret-value@');
    const urls = Object.fromEntries(
      Object.entries(URL_ROLES).map(([name, role]) => [name, postgres?.[role as keyof typeof postgres] ?? '']),
    );
    const settings = {
      ...urls,
      DATABASE_URL: wrong(urls['DATABASE_URL'] ?? ''),
      DATABASE_BACKUP_URL: 'postgres://x:secret-value@127.0.0.1:1/x',
      DATABASE_MONITOR_URL: (urls['DATABASE_MONITOR_URL'] ?? '').replace(/[^/]+$/, 'elsewhere'),
      SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
      ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, 8).toString('base64')}`,
      GIGVAULT_DATA_DIR: 'apart',
    };

    const run = checkout.start({ ...settings, REDIS_URL: wrong(redis) });
    const code = await run.exited;
    const away = checkout.start({ GIGVAULT_DATA_DIR: 'apart', REDIS_URL: 'redis://:secret-value@127.0.0.1:1/0' });
    const awayCode = await away.exited;
    await running.interrupt();

    expect([code, awayCode]).toEqual([1, 1]);
    expect(run.output.split('\n').filter((line) => /_URL: /.test(line))).toEqual([
      '  DATABASE_URL: the password is refused',
      '  DATABASE_BACKUP_URL: nothing listens at this host and port',
      '  DATABASE_MONITOR_URL: the server has no such database',
      '  REDIS_URL: the password is refused',
    ]);
    expect(away.output).toContain('  REDIS_URL: nothing listens at this host and port');
    expect(run.output + away.output).not.toContain('secret-value');
  });

  it.each([
    ['below a file', (path: string) => join(path, 'package.json', 'backups'), 'package.json is a file, not a folder.'],
    ['below /proc', () => '/proc/nope/deeper', 'no folder can be made there'],
  ])('checks BACKUP_DIR before it starts anything: one %s', async (_, folderIn, why) => {
    const run = checkout.start({ BACKUP_DIR: folderIn(checkout.path) });

    expect(await run.exited).toBe(1);
    expect(run.output).toContain('BACKUP_DIR is not usable: ');
    expect(run.output).toContain(why);
    expect(run.output).not.toContain('Stopping');
  });

  it('refuses incomplete and wrong settings before it starts anything, and prints no value', async () => {
    const incomplete = checkout.start({ DATABASE_AUTH_URL: 'postgres://secret-value@127.0.0.1/x' });
    const incompleteCode = await incomplete.exited;
    const wrong = checkout.start({ PORT: 'secret-value', SMTP_URL: 'secret-value' });

    expect(incompleteCode).toBe(1);
    expect(incomplete.output).toContain('DATABASE_AUTH_URL: set, but DATABASE_URL is not');
    expect(await wrong.exited).toBe(1);
    expect(wrong.output).toContain('PORT: ');
    expect(wrong.output).toContain('SMTP_URL: ');
    expect(incomplete.output + wrong.output).not.toContain('secret-value');
    expect(existsSync(checkout.createDataFolder('launcher.json'))).toBe(false);
  });
});

describe('npm', () => {
  it('passes SIGINT on to the launcher, which stops everything', async () => {
    const installation = new CommandInstallation();
    await installation.start(['npm', 'start', '--silent']);
    const services = installation.readServices();

    await installation.stop();

    expect(listStillRunning(services)).toEqual([]);
    expect(installation.isRunning()).toBe(false);
    await installation.remove();
  });
});

import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hash } from 'bcrypt';
import { DATABASE_URL_ROLES, InstallationSecrets } from '../../src/local-services/server-environment';
import { DataFolder, findServicesFolder } from '../../src/local-services/data-folder';
import { withClient } from '../../src/local-services/database-setup';
import { KeyFile, newMasterKey } from '../../src/platform/encryption/key-file';
import { associatedData } from '../../src/platform/encryption/data-keys';
import { createMasterKeys } from '../../src/platform/encryption/kms/kms-master-keys';
import { LocalMasterKeys } from '../../src/platform/encryption/master-keys';
import { CommandInstallation, type CommandRun } from '../support/command-installation';
import { DedicatedRedis } from '../support/dedicated-redis';
import { createTestDatabase, type TestDatabase } from '../support/test-database';
import { testServices } from '../support/test-services';
import { FakeVault } from '../support/fake-vault';
import { buildTestConfig } from '../support/test-config';

/** Ends a test that hangs; some tests start an installation. */
const LIMIT_MS = 600_000;

const SECRET_KEY = Buffer.alloc(32, 5).toString('base64');

/** A migration of a generated domain whose files were removed. */
const UNKNOWN = 'CreateMoons1999999999999';

/** Returns the lines of a run that begin with this level and subject. */
function findLines({ output }: CommandRun, level: string, subject: string): string[] {
  return output.split('\n').filter((line) => new RegExp(`^${level} +${subject} `).test(line));
}

describe('npm run doctor', () => {
  const home = mkdtempSync(join(tmpdir(), 'gigvault-doctor-'));
  const redis = new DedicatedRedis();
  const installation = new CommandInstallation();
  const keyFile = join(home, 'keys.json');
  const ring = { current: 'k1', keys: new Map([['k1', newMasterKey()]]) };
  let database: TestDatabase;

  beforeAll(async () => {
    [database] = await Promise.all([createTestDatabase(), redis.start()]);
    new KeyFile(keyFile).create(ring);
  });
  afterAll(async () => {
    await Promise.all([database.end(), redis.stop(), installation.remove()]);
    rmSync(home, { recursive: true });
  });

  /** Runs the command for a database and a Redis of the operator, without a fault or with the changed settings. */
  function examine(changes: NodeJS.ProcessEnv = {}): Promise<CommandRun> {
    const { urls } = database;
    const roles = Object.entries({ ...DATABASE_URL_ROLES, DATABASE_MIGRATION_URL: 'migrator' } as const);
    return installation.run('dist/src/cli/doctor.js', [], {
      DATABASE_URL: urls.app,
      ...Object.fromEntries(roles.map(([name, role]) => [name, urls[role as keyof typeof urls]])),
      REDIS_URL: redis.url,
      SECRET_KEY,
      CONTEXT_KEY: testServices().contextKey,
      ENCRYPTION_KEY_FILE: keyFile,
      GIGVAULT_DATA_DIR: join(home, 'data'),
      ...changes,
    });
  }

  /** Returns the environment that runs this code before the command, to change a fact of the machine. */
  function plant(name: string, code: string): NodeJS.ProcessEnv {
    const file = join(home, `${name}.cjs`);
    writeFileSync(file, code);
    return { NODE_OPTIONS: `--require ${file}` };
  }

  function expectProblem(run: CommandRun, subject: string, ...texts: string[]): void {
    const lines = findLines(run, 'problem', subject);
    for (const text of texts) expect(lines.join('\n')).toContain(text);
    expect(lines.every((line) => line.includes('. Cure: '))).toBe(true);
    expect(run.code).toBe(1);
    expect(run.output).not.toMatch(/^ +at /m);
  }

  it('finds nothing in a healthy installation, and prints no secret', async () => {
    const run = await examine();

    expect([run.output, run.code]).toEqual([expect.stringContaining('Nothing is wrong.'), 0]);
    expect(findLines(run, 'ok', 'context key').join()).toContain('verifies the contexts of the servers');
    expect(run.output).not.toContain(SECRET_KEY);
    expect(run.output).not.toContain(testServices().contextKey);
    expect(run.output).not.toContain(new URL(database.urls.app).password);
    expect(run.output).not.toContain(new URL(redis.url).password);
  });

  it('names an old Node', async () => {
    const run = await examine(plant('node', `Object.defineProperty(process, 'version', { value: 'v18.19.1' });`));

    expectProblem(run, 'Node', 'v18.19.1 is too old; 20.19.0 or newer is needed', 'nvm install');
  });

  it('names a context key that the database does not know', async () => {
    expectProblem(
      await examine({ CONTEXT_KEY: undefined }),
      'context key',
      'the database does not know the key of CONTEXT_KEY or SECRET_KEY',
      'npm run migrate with the settings of the servers',
    );
  });

  it('names the process that has the port', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((done) => server.once('listening', done));
    const { port } = server.address() as AddressInfo;

    const api = await examine({ PORT: String(port) });
    const metrics = await examine({ METRICS_PORT: String(port) });
    const both = await examine({ PORT: '4000', METRICS_PORT: '4000' });

    const taken = `${port} of 127.0.0.1 is taken by process ${process.pid} (`;
    expectProblem(api, 'port', `PORT ${taken}`, `Cure: PORT=${port + 1} npm start`);
    expectProblem(metrics, 'port', `METRICS_PORT ${taken}`, `Cure: METRICS_PORT=${port + 1} npm start`);
    expectProblem(both, 'settings', 'METRICS_PORT: must not be PORT');
    server.close();
  });

  it('names a HOST that is no address of this machine', async () => {
    expectProblem(
      await examine({ HOST: '192.0.2.1' }),
      'port',
      'HOST 192.0.2.1 is no address of this machine. Cure: HOST=127.0.0.1 npm start',
    );
  });

  it('warns about settings with misspelt names', async () => {
    const misspelt = { UPWORK_CLIENTID: 'x', SMPT_URL: 'x', REDIS_URI: 'x', AI_RUN: '1', SOMETHING_ELSE: 'x' };

    const run = await examine(misspelt);

    expect(findLines(run, 'warning', 'settings').map((line) => line.split('settings     ')[1])).toEqual([
      'UPWORK_CLIENTID is no setting; UPWORK_CLIENT_ID is. Cure: rename UPWORK_CLIENTID to UPWORK_CLIENT_ID',
      'SMPT_URL is no setting; SMTP_URL is. Cure: rename SMPT_URL to SMTP_URL',
      'AI_RUN is no setting; AI_RUNS is. Cure: rename AI_RUN to AI_RUNS',
    ]);
    expect(run.code).toBe(0);
  });

  it('names a disk without space', async () => {
    const code = `require('fs').statfsSync = () => ({ bavail: 12, bsize: 1048576 });`;

    expectProblem(await examine(plant('disk', code)), 'disk', 'has 12 MiB left', 'du -xah');
  });

  it('names a clock that differs from that of PostgreSQL', async () => {
    const code = `const now = Date.now; Date.now = () => now() + 3_600_000;`;

    expectProblem(await examine(plant('clock', code)), 'clock', 'differ by 3600 s', 'timedatectl set-ntp true');
  });

  it('reads settings from files, and names a file that cannot be read', async () => {
    const url = join(home, 'database-url');
    writeFileSync(url, `${database.urls.app}\n`);
    const files = { DATABASE_URL: '', DATABASE_URL_FILE: url, REDIS_URL: '' };

    const readable = await examine({ ...files, REDIS_URL: redis.url });
    const missing = await examine({ ...files, REDIS_URL_FILE: join(home, 'none') });

    expect(readable.output).toContain('Nothing is wrong');
    expectProblem(missing, 'settings', 'REDIS_URL_FILE: the file cannot be read');
  });

  it('names services that are not there', async () => {
    const run = await examine({ DATABASE_AUTH_URL: 'postgres://a:b@127.0.0.1:1/x', REDIS_URL: 'redis://127.0.0.1:1' });

    expectProblem(run, 'PostgreSQL', 'DATABASE_AUTH_URL: nothing listens at this host and port', 'systemctl start');
    expectProblem(run, 'Redis', 'REDIS_URL: nothing listens at this host and port', 'systemctl start redis-server');
  });

  it('names a host that does not exist, and a server without TLS', async () => {
    const run = await examine({
      DATABASE_URL: `${database.urls.app}?sslmode=verify-full`,
      DATABASE_AUTH_URL: 'postgres://a:b@no.invalid/x',
      REDIS_URL: 'redis://no.invalid',
    });

    expectProblem(run, 'PostgreSQL', 'DATABASE_AUTH_URL: there is no such host. Cure: correct the host');
    expectProblem(run, 'PostgreSQL', 'do not agree on TLS (sslmode). Cure: correct sslmode in DATABASE_URL');
    expectProblem(run, 'Redis', 'REDIS_URL: there is no such host. Cure: correct the host in REDIS_URL');
  });

  it('names hosts without a primary, Sentinels that do not answer, and files that are no certificates', async () => {
    const run = await examine({ DATABASE_HOSTS: '127.0.0.1:1,127.0.0.1:2', REDIS_SENTINELS: '127.0.0.1:1' });
    const files = await examine({ REDIS_URL: 'rediss://127.0.0.1:1', REDIS_CA_FILE: 'package.json' });

    expectProblem(run, 'PostgreSQL', 'DATABASE_URL: no host of DATABASE_HOSTS is a primary that answers');
    expectProblem(run, 'Redis', 'REDIS_URL: no Sentinel answers', 'correct REDIS_SENTINELS');
    expectProblem(files, 'settings', 'REDIS_CA_FILE: must be a readable file of certificates (PEM)');
  });

  it('names URLs of which each has the login of another role', async () => {
    const app = await examine({ DATABASE_URL: database.urls.monitor });
    const worker = await examine({ DATABASE_WORKER_URL: database.urls.monitor });

    expectProblem(app, 'PostgreSQL', 'DATABASE_URL: its login lacks privileges', 'the login gigvault_app');
    expectProblem(worker, 'PostgreSQL', 'DATABASE_WORKER_URL: its login lacks privileges', 'the login gigvault_worker');
  });

  it('warns about a mail server and a bucket that do not answer', async () => {
    const run = await examine({
      SMTP_URL: 'smtp://127.0.0.1:1',
      BACKUP_S3_BUCKET: 'backups',
      BACKUP_S3_ENDPOINT: 'http://127.0.0.1:1',
      BACKUP_S3_ACCESS_KEY: 'key',
      BACKUP_S3_SECRET_KEY: 'secret',
    });

    expect(findLines(run, 'warning', 'mail').join()).toContain('Cure: correct SMTP_URL');
    expect(findLines(run, 'warning', 'backups').join()).toContain(
      'the S3 store does not answer. Cure: correct BACKUP_S3',
    );
    expect(run.code).toBe(0);
  });

  it('names lost secrets of an installation', async () => {
    const path = join(home, 'lost');
    InstallationSecrets.load(new DataFolder(path).resolve('secrets.json'));
    rmSync(join(path, 'secrets.json'));

    const run = await installation.run('dist/src/cli/doctor.js', [], { GIGVAULT_DATA_DIR: path });

    expectProblem(
      run,
      'data',
      `${join(path, 'secrets.json')} is missing`,
      'of an earlier start (encryption-keys.json)',
      `cp YOUR_COPY ${join(path, 'secrets.json')}`,
      `mv ${path} ${path}-old`,
    );
  });

  it('names damaged secrets of an installation', async () => {
    const path = join(home, 'damaged');
    mkdirSync(path);
    writeFileSync(join(path, 'secrets.json'), '{');

    const run = await installation.run('dist/src/cli/doctor.js', [], { GIGVAULT_DATA_DIR: path });

    const secrets = join(path, 'secrets.json');
    expectProblem(run, 'start', `${secrets} is damaged`, `cp YOUR_COPY ${secrets} && chmod 600 ${secrets}`);
  });

  it('warns about secrets that others may read, and names the file that has a wrong value', async () => {
    const path = join(home, 'open-secrets');
    const secrets = new DataFolder(path).resolve('secrets.json');
    const { values } = InstallationSecrets.load(secrets);
    writeFileSync(secrets, JSON.stringify({ ...values, SECRET_KEY: 'short' }), { mode: 0o644 });
    chmodSync(secrets, 0o644);

    const run = await installation.run('dist/src/cli/doctor.js', [], { GIGVAULT_DATA_DIR: path });
    const shell = await installation.run('dist/src/cli/doctor.js', [], { GIGVAULT_DATA_DIR: path, SECRET_KEY: 'x' });

    expect(findLines(run, 'warning', 'data').join()).toContain(`may read ${secrets}. Cure: chmod 600 ${secrets}`);
    expectProblem(run, 'settings', 'SECRET_KEY: ', `set SECRET_KEY in ${secrets}`);
    expectProblem(shell, 'settings', 'SECRET_KEY: ', 'set SECRET_KEY in the environment of the command');
  });

  it('names a missing Redis that apt cannot fetch', async () => {
    const path = join(home, 'no-redis');
    const bin = join(home, 'bin');
    mkdirSync(bin);
    symlinkSync(process.execPath, join(bin, 'node'));
    // The build, which the first command makes, does not run on such a machine.
    await examine();
    // The cache has no Redis for this machine, and PATH has no apt.
    const bcrypt = JSON.stringify(require.resolve('bcrypt'));
    const machine = plant('machine', `require(${bcrypt}); Object.defineProperty(process, 'arch', { value: 'none' });`);

    const run = await installation.run('dist/src/cli/doctor.js', [], {
      ...machine,
      GIGVAULT_DATA_DIR: path,
      PATH: bin,
    });

    expectProblem(run, 'Redis', 'none is installed, and apt cannot fetch one', 'apt install redis-server', 'REDIS_URL');
  });

  it('names wrong passwords', async () => {
    const change = (url: string): string => Object.assign(new URL(url), { password: 'wrong' }).href;

    const run = await examine({ DATABASE_URL: change(database.urls.app), REDIS_URL: change(redis.url) });

    expectProblem(run, 'PostgreSQL', 'DATABASE_URL: the password is refused', 'npm run prepare:database');
    expectProblem(run, 'Redis', 'REDIS_URL: the password is refused', 'correct REDIS_URL');
  });

  it('names a database that does not exist, also when its name is misspelt', async () => {
    const url = Object.assign(new URL(database.urls.app), { pathname: '/gigvalt' }).href;

    const run = await examine({ DATABASE_URL: url });

    expectProblem(run, 'PostgreSQL', 'DATABASE_URL: the server has no such database', 'or correct DATABASE_URL');
  });

  it('names a role that does not exist', async () => {
    await database.query('superuser', 'ALTER ROLE gigvault_monitor RENAME TO renamed_monitor');
    try {
      const run = await examine();

      const text = 'DATABASE_MONITOR_URL: the role gigvault_monitor does not exist';
      expectProblem(run, 'PostgreSQL', text, 'npm run prepare:database');
    } finally {
      await database.query('superuser', 'ALTER ROLE renamed_monitor RENAME TO gigvault_monitor');
    }
  });

  it('names a PostgreSQL that is too old', async () => {
    // A function of the same name, found first, answers for an old server.
    await database.query('superuser', 'CREATE SCHEMA old');
    await database.query(
      'superuser',
      `CREATE FUNCTION old.current_setting(name text) RETURNS text LANGUAGE sql AS $$
         SELECT CASE name WHEN 'server_version_num' THEN '140011' ELSE pg_catalog.current_setting(name) END $$`,
    );
    await database.query('superuser', 'GRANT USAGE ON SCHEMA old TO PUBLIC');
    await database.query(
      'superuser',
      `ALTER ROLE gigvault_app IN DATABASE ${database.name} SET search_path = old, pg_catalog, public`,
    );
    try {
      expectProblem(
        await examine(),
        'PostgreSQL',
        'version 14 is too old; 15 or newer is needed',
        'pg_upgradecluster 14',
      );
    } finally {
      await database.query('superuser', `ALTER ROLE gigvault_app IN DATABASE ${database.name} RESET search_path`);
      await database.query('superuser', 'DROP SCHEMA old CASCADE');
    }
  });

  it('names migrations that have not run', async () => {
    const [newest] = await database.query<{ id: number; timestamp: string; name: string }>(
      'superuser',
      'DELETE FROM schema_migrations WHERE id = (SELECT max(id) FROM schema_migrations) RETURNING *',
    );
    try {
      expectProblem(await examine(), 'schema', 'migrations that have not run: 1', 'npm run migrate');
    } finally {
      await database.query('superuser', 'INSERT INTO schema_migrations (id, timestamp, name) VALUES ($1, $2, $3)', [
        newest!.id,
        newest!.timestamp,
        newest!.name,
      ]);
    }
  });

  it('names migrations of a newer release or of removed files, with a way for each', async () => {
    await database.query('superuser', `INSERT INTO schema_migrations (timestamp, name) VALUES (1, $1)`, [UNKNOWN]);
    try {
      const run = await examine();

      const text = `migrations that this version does not have: ${UNKNOWN}`;
      expectProblem(run, 'schema', text, 'git pull && npm ci && npm start', 'npm run migrate:revert');
    } finally {
      await database.query('superuser', 'DELETE FROM schema_migrations WHERE name = $1', [UNKNOWN]);
    }
  });

  it('names a table without row security, with the statement that cures it', async () => {
    await database.query('superuser', 'ALTER TABLE jobs NO FORCE ROW LEVEL SECURITY');
    try {
      expectProblem(
        await examine(),
        'schema',
        'public.jobs: row security is not forced. Cure: ALTER TABLE public.jobs',
      );
    } finally {
      await database.query('superuser', 'ALTER TABLE jobs FORCE ROW LEVEL SECURITY');
    }
  });

  it('names a read-only Redis', async () => {
    await redis.command('REPLICAOF', '127.0.0.1', '1');
    try {
      expectProblem(await examine(), 'Redis', 'refuses writes: read-only', 'REPLICAOF NO ONE');
    } finally {
      await redis.command('REPLICAOF', 'NO', 'ONE');
    }
  });

  it('warns about a Redis that evicts keys', async () => {
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    try {
      const run = await examine();

      expect(findLines(run, 'warning', 'Redis').join()).toContain(
        'maxmemory-policy allkeys-lru; it must be noeviction',
      );
      expect(findLines(run, 'warning', 'Redis').join()).toContain('Cure: redis-cli CONFIG SET maxmemory-policy');
      expect(run.code).toBe(0);
    } finally {
      await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    }
  });

  it('names a missing key file, and one that others may read', async () => {
    const open = join(home, 'open.json');
    new KeyFile(open).create(ring);
    chmodSync(open, 0o644);

    const missing = await examine({ ENCRYPTION_KEY_FILE: join(home, 'lost.json') });
    const readable = await examine({ ENCRYPTION_KEY_FILE: open });

    const link = join(home, 'link.json');
    symlinkSync(join(home, 'lost.json'), link);
    const dangling = await examine({ ENCRYPTION_KEY_FILE: link });

    expectProblem(dangling, 'keys', link, `Cure: rm ${link} && cp YOUR_COPY ${link} && chmod 600 ${link}`);
    expectProblem(missing, 'keys', 'lost.json', 'restore it from your copy', `cp YOUR_COPY ${join(home, 'lost.json')}`);
    expectProblem(readable, 'keys', `other users may read ${open}`, `Cure: chmod 600 ${open}`);
  });

  it('names keys of another database', async () => {
    const other = join(home, 'other.json');
    new KeyFile(other).create({ current: 'k1', keys: new Map([['k1', newMasterKey()]]) });
    const keyId = '0b8f4a52-5a0e-4d0c-9f3c-0d3f5b1a7c11';
    const masterKeys = new LocalMasterKeys({ encryption: { keys: [], keyFile } });
    const wrapped = await masterKeys.wrap(newMasterKey(), associatedData({ userId: null, keyId }));
    await database.query('auth', 'SELECT auth.put_data_key(NULL, $1, $2)', [keyId, wrapped]);

    const right = await examine();
    const wrong = await examine({ ENCRYPTION_KEY_FILE: other });

    expect(findLines(right, 'ok', 'keys').join()).toContain('decrypt the secrets of this database');
    expectProblem(wrong, 'keys', `${other} belongs to another database`, `cp YOUR_COPY ${other}`);
  });

  it('names a SECRET_KEY of another database', async () => {
    const unused = await examine();
    const other = buildTestConfig({ SECRET_KEY: Buffer.alloc(32, 6).toString('base64') });
    const text = other.secrets.derive('secret-key-check').toString('base64');
    await database.query('auth', 'SELECT auth.put_secret_key_check($1)', [await hash(text, 4)]);

    const wrong = await examine();
    const right = await examine({ SECRET_KEY: Buffer.alloc(32, 6).toString('base64') });
    await database.query('superuser', 'TRUNCATE secret_key_check');

    expect(findLines(unused, 'ok', 'secret key').join()).toContain('the first start stores a hash of it');
    expect(findLines(right, 'ok', 'secret key').join()).toContain('belongs to this database');
    expectProblem(wrong, 'secret key', 'SECRET_KEY belongs to another database', 'set SECRET_KEY of this database');
  });

  it('unwraps a key by the key management service, and names one that is down or refuses', async () => {
    const vault = new FakeVault();
    await vault.start();
    vault.createKey('gigvault');
    const keyId = '6c1d7f0e-3b52-4b8e-9a55-1f0c9a1b2d33';
    const keys = { ...vault.settings, ENCRYPTION_KEY_FILE: '', ENCRYPTION_KEYS: vault.buildEntry('v1', 'gigvault') };
    const masterKeys = createMasterKeys(buildTestConfig(keys));
    const wrapped = await masterKeys.wrap(newMasterKey(), associatedData({ userId: null, keyId }));
    await database.query('superuser', 'DELETE FROM data_keys');
    await database.query('auth', 'SELECT auth.put_data_key(NULL, $1, $2)', [keyId, wrapped]);

    const right = await examine(keys);
    const refused = await examine({ ...keys, VAULT_TOKEN: 'another' });
    const incomplete = await examine({ ...keys, VAULT_TOKEN: '' });
    await vault.stop();
    const down = await examine(keys);
    await database.query('superuser', 'DELETE FROM data_keys');

    expect(findLines(right, 'ok', 'keys').join()).toContain('from ENCRYPTION_KEYS, in Vault');
    expect(findLines(right, 'ok', 'keys').join()).toContain('decrypt the secrets of this database');
    expectProblem(refused, 'keys', 'permission denied', 'correct VAULT_');
    expectProblem(incomplete, 'settings', 'VAULT_TOKEN, VAULT_TOKEN_FILE: set exactly one of them', 'set VAULT_TOKEN');
    expectProblem(down, 'keys', 'Vault does not answer: ECONNREFUSED', 'start the key management service');
  });

  it('names a folder of backups that is a file, and warns about a missing one', async () => {
    writeFileSync(join(home, 'file'), '');

    const file = await examine({ BACKUP_DIR: join(home, 'file') });
    const missing = await examine({ BACKUP_DIR: join(home, 'not', 'there') });

    expectProblem(file, 'backups', `BACKUP_DIR is not usable: ${join(home, 'file')} is a file`, 'correct BACKUP_DIR');
    expect(findLines(missing, 'warning', 'backups').join()).toContain(`mkdir -m 700 -p ${join(home, 'not', 'there')}`);
    expect(missing.code).toBe(0);
  });

  it('names a full disk of the backups, and a data folder that is a file', async () => {
    const code = `
      const { writeFile } = require('fs/promises');
      require('fs/promises').writeFile = (path, ...rest) => String(path).includes('on-full-disk')
        ? Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' })) : writeFile(path, ...rest);`;
    const full = join(home, 'on-full-disk');
    mkdirSync(full);
    writeFileSync(join(home, 'data-file'), '');

    const disk = await examine({ ...plant('full', code), BACKUP_DIR: full });
    const data = await examine({ GIGVAULT_DATA_DIR: join(home, 'data-file') });

    expectProblem(disk, 'backups', `BACKUP_DIR is not usable: ${full}: its disk is full. Cure: free space on its disk`);
    expectProblem(
      data,
      'backups',
      'GIGVAULT_DATA_DIR is not usable',
      'is a file',
      'correct GIGVAULT_DATA_DIR, or chown',
    );
  });

  it('names a missing mail server in production, and other invalid settings', async () => {
    const run = await examine({ NODE_ENV: 'production', PUBLIC_URL: 'https://api.example.org', PORT: 'x' });
    const production = await examine({
      NODE_ENV: 'production',
      PUBLIC_URL: 'https://api.example.org',
      PASSWORD_HASH_COST: '12',
    });

    const embedded = await installation.run('dist/src/cli/doctor.js', [], { NODE_ENV: 'production' });

    expectProblem(run, 'settings', 'PORT: must be a whole number from 0 to 65535', 'set PORT in the environment of');
    expectProblem(
      production,
      'settings',
      'SMTP_URL: is missing; production needs a mail server',
      'set SMTP_URL in .env',
    );
    expectProblem(
      embedded,
      'settings',
      'GIGVAULT_EMBEDDED: must be false in production',
      'NODE_ENV=development npm start',
    );
  });

  it('names a data folder of another PostgreSQL, and one that does not exist yet', async () => {
    const path = join(home, 'old-data');
    const folder = new DataFolder(path);
    const { servicesName } = InstallationSecrets.load(folder.resolve('secrets.json')).values;
    const services = folder.createServicesFolder(servicesName);
    mkdirSync(join(services, 'postgres'), { recursive: true });
    writeFileSync(join(services, 'postgres', 'PG_VERSION'), '13\n');

    const old = await installation.run('dist/src/cli/doctor.js', [], { GIGVAULT_DATA_DIR: path });
    const none = await installation.run('dist/src/cli/doctor.js', [], { GIGVAULT_DATA_DIR: join(home, 'none') });

    expectProblem(old, 'data', 'is of PostgreSQL 13, but PostgreSQL 15 is installed', `mv ${path}`, 'npm run reset');
    expect(none.output).toContain('none does not exist yet; npm start creates it');
    expect(none.code).toBe(0);
    rmSync(services, { recursive: true });
  });

  it('names a PostgreSQL that does not start, beside the other findings, and creates no database', async () => {
    const path = join(home, 'broken-data');
    const folder = new DataFolder(path);
    const { servicesName } = InstallationSecrets.load(folder.resolve('secrets.json')).values;
    const services = findServicesFolder(path, servicesName);
    const examineFolder = () => installation.run('dist/src/cli/doctor.js', [], { GIGVAULT_DATA_DIR: path });
    const before = await examineFolder();
    expect(existsSync(services)).toBe(services === path);
    expect(existsSync(join(services, 'postgres'))).toBe(false);
    mkdirSync(join(services, 'postgres'), { recursive: true });
    writeFileSync(join(services, 'postgres', 'PG_VERSION'), '15\n');

    const broken = await examineFolder();

    expect(before.code).toBe(0);
    expectProblem(broken, 'start', 'The embedded PostgreSQL did not start');
    expect(findLines(broken, 'ok', 'disk')).not.toEqual([]);
    rmSync(services, { recursive: true });
  });

  it(
    'examines a running installation, and a stopped one with data of an older commit',
    async () => {
      await installation.start();
      const running = await installation.run('dist/src/cli/doctor.js');
      await installation.stop();
      const withOtherKey = await installation.run('dist/src/cli/doctor.js', [], { CONTEXT_KEY: SECRET_KEY });
      await installation.start();
      await withClient(installation.readServices().postgres!.superuser, (client) =>
        client.query(`UPDATE schema_migrations SET name = 'CreateFoundation1795305600000' WHERE id = 1`),
      );
      await installation.stop();
      const stopped = await installation.run('dist/src/cli/doctor.js');

      expect([running.output, running.code]).toEqual([expect.stringContaining('Nothing is wrong.'), 0]);
      expect(running.output).toMatch(/port +Gigvault runs at http/);
      expect(findLines(running, 'ok', 'context key').join()).toContain('verifies the contexts of the servers');
      expect(findLines(withOtherKey, 'ok', 'context key').join()).toContain('the next npm start stores it');
      expect(withOtherKey.code).toBe(0);
      expectProblem(stopped, 'schema', 'made by an earlier development version of Gigvault', 'npm run reset');
      expect(installation.isRunning()).toBe(false);
    },
    LIMIT_MS,
  );
});

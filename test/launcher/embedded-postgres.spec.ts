import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OperatorError } from '../../src/local-services/data-folder';
import { withClient } from '../../src/local-services/database-setup';
import { EmbeddedPostgres } from '../../src/local-services/embedded-postgres';
import { isAlive } from '../../src/local-services/managed-process';
import { changeOwner, findServiceUser } from '../../src/local-services/file-permissions';

describe(EmbeddedPostgres.name, () => {
  const folder = mkdtempSync(join(tmpdir(), 'gigvault-postgres-'));
  // The folder may have any name.
  const data = join(folder, '[data] (1) {a,b} $HOME "q" ü');
  const servers: EmbeddedPostgres[] = [];

  function createServer(): EmbeddedPostgres {
    const logFile = join(folder, 'log');
    const server = new EmbeddedPostgres({ folder: data, logFile, superuserPassword: 'right', isEphemeral: true });
    servers.push(server);
    return server;
  }

  beforeAll(() => {
    chmodSync(folder, 0o700);
    changeOwner(findServiceUser(), folder);
  });
  afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop())));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('never runs as root, restricts access to its data and requires a password', async () => {
    const server = createServer();
    await server.start();

    const setting = (name: string): Promise<string> =>
      withClient(server.buildUrl('postgres', 'right', 'postgres'), async (client) => {
        const { rows } = await client.query<{ value: string }>('SELECT current_setting($1) AS value', [name]);
        return rows[0]?.value ?? '';
      });

    expect(statSync(data).uid).not.toBe(0);
    expect(statSync(data).mode & 0o777).toBe(0o700);
    expect(await setting('listen_addresses')).toBe('127.0.0.1');
    expect(await setting('unix_socket_directories')).toBe('');
    expect(await setting('shared_preload_libraries')).toBe('pg_stat_statements');
    expect(await setting('pg_stat_statements.track_utility')).toBe('off');
    expect(await setting('log_parameter_max_length')).toBe('0');
    expect(await setting('wal_recycle')).toBe('off');
    expect(await setting('archive_timeout')).toBe('1h');
    await expect(withClient(server.buildUrl('postgres', 'wrong', 'postgres'), () => Promise.resolve())).rejects.toThrow(
      'password authentication failed',
    );
  });

  it('stops an orphaned server on its data, and starts', async () => {
    const orphan = createServer();
    await orphan.start();

    const server = createServer();
    await server.start();

    expect(isAlive(orphan.pid ?? 0)).toBe(false);
    expect(isAlive(server.pid ?? 0)).toBe(true);
  });

  it('refuses data of another major version with the steps of an upgrade, and changes nothing', async () => {
    await createServer().start();
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    const versionFile = join(data, 'PG_VERSION');
    const version = readFileSync(versionFile, 'utf8');
    const other = Number(version) - 1;
    writeFileSync(versionFile, `${other}\n`);

    const start = createServer().start();

    await expect(start).rejects.toThrow(OperatorError);
    await expect(start).rejects.toThrow(`is of PostgreSQL ${other}, but PostgreSQL ${Number(version)} is installed.`);
    await expect(start).rejects.toThrow(`mv '${data}' '${data}-${other}'`);
    writeFileSync(versionFile, version);
    await createServer().start();
  });

  it('starts when another process has the id of a stale pid file, and does not stop that process', async () => {
    await createServer().start();
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    writeFileSync(join(data, 'postmaster.pid'), `${process.pid}\n${data}\n`);
    changeOwner(findServiceUser(), join(data, 'postmaster.pid'));

    const server = createServer();
    await server.start();

    expect(isAlive(process.pid)).toBe(true);
    expect(isAlive(server.pid ?? 0)).toBe(true);
  });
});

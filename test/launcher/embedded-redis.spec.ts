import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Redis from 'ioredis';
import { EmbeddedRedis } from '../../src/local-services/embedded-redis';
import { isAlive } from '../../src/local-services/managed-process';
import { changeOwner, findServiceUser } from '../../src/local-services/file-permissions';

describe(EmbeddedRedis.name, () => {
  const home = mkdtempSync(join(tmpdir(), 'gigvault-redis-'));
  const servers: EmbeddedRedis[] = [];

  /** Valkey 8.1 does not escape quotes and backslashes of its command line, and ends in a folder with one of them. */
  const quotes = process.env['MATRIX_CELL']?.includes('valkey-8') ? '' : '"q" \\ ';

  /** Creates a server with special characters in its path: Redis treats paths as patterns and values as C strings. */
  function createServer(): EmbeddedRedis {
    const folder = join(home, `[copy] (1) {a,b} ${quotes}ü`);
    mkdirSync(folder, { recursive: true });
    changeOwner(findServiceUser(), folder);
    const server = new EmbeddedRedis({ folder, logFile: join(home, 'log'), password: 'right' });
    servers.push(server);
    return server;
  }

  beforeAll(() => {
    chmodSync(home, 0o700);
    changeOwner(findServiceUser(), home);
  });
  afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop())));
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it('starts in a folder of any name, with its own configuration', async () => {
    const server = createServer();
    await server.start();
    const client = new Redis(server.url);

    const [, policy] = await client.config('GET', 'maxmemory-policy');
    const [, password] = await client.config('GET', 'requirepass');
    client.disconnect();

    expect(policy).toBe('noeviction');
    expect(password).toBe('right');
  });

  it('stops an orphaned server on its data, and starts', async () => {
    const orphan = createServer();
    await orphan.start();

    const server = createServer();
    await server.start();

    expect(isAlive(orphan.pid ?? 0)).toBe(false);
    expect(isAlive(server.pid ?? 0)).toBe(true);
  });
});

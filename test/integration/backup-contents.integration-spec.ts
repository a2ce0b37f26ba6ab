import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { dumpArchive, findTools, type PostgresTools } from '../../src/backups/restore/postgres-tools';
import { assertSeesAllRows, withSnapshot } from '../../src/backups/snapshot';
import { withDirectConnection } from '../../src/platform/database/driver/direct-connection';
import { collectBytes } from '../support/byte-streams';
import { createTestDatabase, type TestDatabase } from '../support/test-database';

const execute = promisify(execFile);

const CANARY = { backupId: 1, canaryHash: '' };

describe('a dump by gigvault_backup', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gigvault-dump-'));
  let database: TestDatabase;
  let tools: PostgresTools;

  beforeAll(async () => {
    database = await createTestDatabase();
    const [server] = await database.query<{ major: number }>(
      'superuser',
      `SELECT current_setting('server_version_num')::integer / 10000 AS major`,
    );
    tools = await findTools(server!.major);
    await database.query('superuser', `INSERT INTO users (email, encrypted_password) VALUES ('ann@example.com', 'x')`);
  });
  afterAll(async () => {
    await database.end();
    rmSync(folder, { recursive: true });
  });

  /** Returns the SQL of an archive, with the data of its tables. */
  async function readSql(archive: Buffer): Promise<string> {
    const file = join(folder, 'archive');
    writeFileSync(file, archive);
    const env = { ...process.env, ...(tools.libraries && { LD_LIBRARY_PATH: tools.libraries }) };
    const program = join(tools.folder, 'pg_restore');
    return (await execute(program, ['--file=-', file], { env, maxBuffer: 2 ** 28 })).stdout;
  }

  const dump = (url: string): Promise<string> =>
    withSnapshot(url, CANARY, async ({ id }) => readSql(await collectBytes(dumpArchive(tools, { url, snapshot: id }))));

  const readPads = async (): Promise<string[]> => {
    const rows = await database.query<{ pad: string }>(
      'superuser',
      `SELECT encode(unnest(ARRAY[inner_pad, outer_pad]), 'hex') AS pad FROM secrets.context_keys`,
    );
    return rows.map(({ pad }) => pad);
  };

  it.each(['backup', 'superuser'] as const)('contains the data but no key that signs contexts, as %s', async (role) => {
    const sql = await dump(database.urls[role]);
    const pads = await readPads();

    expect(sql).toContain('ann@example.com');
    expect(pads.length).toBeGreaterThan(0);
    // A dump shows bytes in hexadecimal digits, or escaped.
    expect(pads.filter((pad) => sql.includes(pad))).toEqual([]);
    expect(sql).not.toContain('inner_pad bytea');
  });

  it('would show a key that is in a table of the dump', async () => {
    await database.query('superuser', 'CREATE TABLE copied_keys AS SELECT * FROM secrets.context_keys');
    const sql = await dump(database.urls.superuser);
    await database.query('superuser', 'DROP TABLE copied_keys');

    expect((await readPads()).filter((pad) => !sql.includes(pad))).toEqual([]);
  });

  it('contains tables that are created later, also by tasks', async () => {
    await database.query('migrator', 'CREATE TABLE later (id bigint GENERATED ALWAYS AS IDENTITY)');
    await database.query('worker', 'SELECT app.create_partitions(5)');

    await expect(withDirectConnection(database.urls.backup, assertSeesAllRows)).resolves.toEqual({
      name: 'gigvault_backup',
      seesAllRows: true,
    });
    await database.query('migrator', 'DROP TABLE later');
  });

  it.each([
    ['secrets.context_keys', '42501'],
    ['pg_authid', '42501'],
    ['pg_user_mapping', '42501'],
  ])('needs no right to read %s', async (table, code) => {
    await expect(database.query('backup', `SELECT FROM ${table}`)).rejects.toMatchObject({ code });
  });

  it('is refused when a table is not readable', async () => {
    await database.query('migrator', 'CREATE TABLE hidden (id bigint)');
    await database.query('migrator', 'REVOKE SELECT ON hidden FROM gigvault_backup');

    await expect(withDirectConnection(database.urls.backup, assertSeesAllRows)).rejects.toThrow(
      'gigvault_backup may not read public.hidden: run docker/postgres/bootstrap.sql and the migrations',
    );
    await database.query('migrator', 'DROP TABLE hidden');
  });
});

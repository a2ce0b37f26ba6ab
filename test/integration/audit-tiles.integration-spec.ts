import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportTiles } from '../../src/audit/export/export-tiles';
import { encodeIndex, TileDirectory } from '../../src/audit/export/tile-directory';
import { AuditSealer } from '../../src/audit/seals/audit-sealer';
import { NoteSigner } from '../../src/audit/seals/signed-note';
import { withDirectConnection } from '../../src/platform/database/driver/direct-connection';
import { RolePools } from '../../src/platform/database/driver/role-pools';
import { SystemDatabase } from '../../src/platform/database/system-database';
import { buildTestConfig } from '../support/test-config';
import { createTestDatabase, type TestDatabase } from '../support/test-database';
import { testServices } from '../support/test-services';
import { readTileLog } from '../support/tile-log';

const ORIGIN = 'gigvault.example.org/audit';
const SIGNER = new NoteSigner(ORIGIN, Buffer.alloc(32, 7));

describe('the tiles of the log', () => {
  let db: TestDatabase;
  let pools: RolePools;
  let sealer: AuditSealer;
  let folder: string;

  beforeEach(async () => {
    db = await createTestDatabase();
    const config = buildTestConfig({ DATABASE_WORKER_URL: db.urls.worker, CONTEXT_KEY: testServices().contextKey });
    pools = new RolePools(config);
    sealer = new AuditSealer(new SystemDatabase(pools, config), () => SIGNER);
    folder = mkdtempSync(join(tmpdir(), 'gigvault-tiles-'));
  });
  afterEach(async () => {
    await pools.onApplicationShutdown();
    await db.end();
    rmSync(folder, { recursive: true });
  });

  /** Adds sealed rows. */
  const seal = async (rows: number): Promise<void> => {
    await db.query(
      'superuser',
      `INSERT INTO audit_logs (user_id, table_name, action) SELECT 1, 'jobs', 'INSERT' FROM generate_series(1, $1)`,
      [rows],
    );
    while ((await sealer.sealNext()) > 0);
  };
  const exportAll = () =>
    withDirectConnection(db.urls.migrator, (connection) => exportTiles(connection, new TileDirectory(folder)));
  const listFiles = (): string[] =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(folder, name)).isFile());
  const readEntries = async (): Promise<Buffer> => {
    const seals = await db.query<{ entries: Buffer }>('superuser', 'SELECT entries FROM audit.seals ORDER BY id');
    return Buffer.concat(seals.map(({ entries }) => entries));
  };

  it('are those of the specification, which an independent reader verifies', async () => {
    await seal(70_000);

    const { size, added } = await exportAll();

    expect(added).toBe(size);
    expect(Buffer.concat(readTileLog(folder, SIGNER.verifier.text)).equals(await readEntries())).toBe(true);
    const files = listFiles();
    const partial = (level: number) =>
      files.filter((name) => name.startsWith(`tile/${level}/`) && name.includes('.p/'));
    // For example 273 full tiles of level 0, and 1 of level 1, in a tree of 70,000 entries.
    expect(files.filter((name) => /^tile\/0\/\d{3}$/.test(name))).toHaveLength(Math.floor(size / 256));
    expect(partial(1)).toEqual([`tile/1/001.p/${Math.floor(size / 256) % 256}`]);
    expect(partial(2)).toEqual(['tile/2/000.p/1']);
  });

  it('grow with the log, and full ones never change', async () => {
    const added: number[] = [];
    for (const rows of [1, 100, 154, 1, 256, 700, 3]) {
      await seal(rows);
      const full = listFiles().filter((name) => !name.includes('.p/') && name !== 'checkpoint');
      const before = full.map((name) => statSync(join(folder, name)).mtimeMs);
      added.push((await exportAll()).added);
      expect(Buffer.concat(readTileLog(folder, SIGNER.verifier.text)).equals(await readEntries())).toBe(true);
      expect(full.map((name) => statSync(join(folder, name)).mtimeMs)).toEqual(before);
    }

    expect(added.slice(1)).toEqual([100, 154, 1, 256, 700, 3]);
    expect((await exportAll()).added).toBe(0);
  });

  it('continue after a run that was interrupted before its checkpoint', async () => {
    await seal(300);
    await exportAll();
    const checkpoint = readFileSync(join(folder, 'checkpoint'));
    await seal(1_000);
    await exportAll();
    writeFileSync(join(folder, 'checkpoint'), checkpoint);

    expect((await exportAll()).added).toBe(1_000);
    expect(Buffer.concat(readTileLog(folder, SIGNER.verifier.text)).equals(await readEntries())).toBe(true);
  });

  it('are not continued by a log that was cut or rewritten', async () => {
    await seal(300);
    await seal(10);
    await exportAll();
    const checkpoint = readFileSync(join(folder, 'checkpoint'), 'utf8');
    await db.query('superuser', 'DELETE FROM audit.seals WHERE id = (SELECT max(id) FROM audit.seals)');
    await expect(exportAll()).rejects.toThrow('The log was cut');
    await db.query('superuser', 'DELETE FROM audit_logs WHERE id % 2 = 0');
    await db.query('superuser', 'DELETE FROM audit.tiles; DELETE FROM audit.seals');
    // The other log has a seal of the same size.
    const [left] = await db.query<{ n: number }>(
      'superuser',
      'SELECT (SELECT count(*) FROM audit_logs) + (SELECT count(*) FROM security_logs) AS n',
    );
    await seal(new TileDirectory(folder).readCheckpoint()!.size - left!.n);
    await seal(50);

    await expect(exportAll()).rejects.toThrow('does not extend');
    expect(readFileSync(join(folder, 'checkpoint'), 'utf8')).toBe(checkpoint);
  });

  it.each([
    [0, '000'],
    [999, '999'],
    [1_000, 'x001/000'],
    [1_234_067, 'x001/x234/067'],
  ])('have the index %i at %s', (index, path) => {
    expect(encodeIndex(index)).toBe(path);
  });
});

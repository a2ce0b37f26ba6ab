import { migrationNames, migrationSource } from '../../src/platform/database/migrations';
import { migrate } from '../../src/launcher/migrations';
import { checkCatalog } from '../../src/platform/database/preconditions';
import { readCatalog } from '../contract/read-catalog';
import { type TestDatabase, testDatabase } from '../support/postgres';

describe('the migrations', () => {
  let database: TestDatabase;
  const query = (sql: string) => database.query('superuser', sql);
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.end());

  it('go down to an empty schema and up again to the same catalog', async () => {
    const before = await readCatalog(query);
    const source = migrationSource(database.urls.migrator);
    await source.initialize();
    try {
      for (let left = migrationNames().length; left > 0; left -= 1) await source.undoLastMigration();
      const empty = await readCatalog(query);
      await source.runMigrations();

      expect(Object.keys(empty.relations ?? {})).toEqual(['public.schema_migrations']);
      expect(empty.functions).toEqual({});
      expect(Object.keys(empty.schemas ?? {})).toEqual(['public']);
      expect(await readCatalog(query)).toEqual(before);
    } finally {
      await source.destroy();
    }
  });

  it('give the accounts of international domains their ASCII form, unless another account has it', async () => {
    const source = migrationSource(database.urls.migrator);
    await source.initialize();
    const last = migrationNames().indexOf('JoinInternationalAddresses1795305810001');
    try {
      for (let left = migrationNames().length; left > last; left -= 1) await source.undoLastMigration();
      await query(`INSERT INTO users (email, encrypted_password) VALUES
        ('ann@bücher.example', 'x'), ('ann@xn--bcher-kva.example', 'x'), ('bob@bücher.example', 'x'), ('cat@xn--a-ü.example', 'x')`);
      await source.runMigrations();

      expect(await query(`SELECT email, ascii_domain FROM users ORDER BY id`)).toEqual([
        { email: 'ann@bücher.example', ascii_domain: null },
        { email: 'ann@xn--bcher-kva.example', ascii_domain: null },
        { email: 'bob@bücher.example', ascii_domain: 'xn--bcher-kva.example' },
        { email: 'cat@xn--a-ü.example', ascii_domain: null },
      ]);
    } finally {
      await query('DELETE FROM users');
      await source.destroy();
    }
  });

  it('are all named as their files, so that a pending one is noticed', async () => {
    const done = await query('SELECT name FROM schema_migrations ORDER BY timestamp');

    expect(done.map(({ name }) => name)).toEqual(migrationNames());
  });

  it('that have not run keep the server from starting, and nothing else is said', async () => {
    const problems = await checkCatalog(
      (sql) => database.query('app', sql),
      [...migrationNames(), 'CreateMoon1999999999999'],
    );

    expect(problems).toEqual(['migration CreateMoon1999999999999 has not run: npm run migrate']);
  });

  it('of a newer release keep the server from starting, and this release from migrating', async () => {
    const [newest, ...older] = migrationNames().reverse();
    const reason =
      `the database was migrated by a newer release of Gigvault, with ${newest}: ` +
      'start that release, or restore a backup that was made before';

    expect(await checkCatalog((sql) => database.query('app', sql), older)).toEqual([reason]);

    await database.query(
      'superuser',
      `INSERT INTO schema_migrations (timestamp, name) VALUES (1, 'CreateMoon1999999999999')`,
    );
    await expect(migrate(database.urls.migrator)).rejects.toThrow(
      'a newer release of Gigvault, with CreateMoon1999999999999',
    );
    await database.query('superuser', `DELETE FROM schema_migrations WHERE name = 'CreateMoon1999999999999'`);
    expect(await migrate(database.urls.migrator)).toEqual([]);
  });
});

import { DataSource, type MigrationInterface } from 'typeorm';
import { migrationSource } from '../../src/platform/database/schema/migration-source';
import { migrationNames } from '../../src/platform/database/schema/migrations';
import { bootstrapDatabase, revertLatestMigration, runMigrations } from '../../src/local-services/database-setup';
import { findSchemaProblems } from '../../src/platform/database/schema/schema-problems';
import { type Catalog, readCatalog } from '../contract/read-catalog';
import { type TestDatabase, createTestDatabase } from '../support/test-database';

type MigrationClass = new () => MigrationInterface;

describe('the migrations', () => {
  let database: TestDatabase;
  const query = <Row = Record<string, unknown>>(sql: string) => database.query<Row>('superuser', sql);
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.end());

  it('revert to an empty schema one by one, and run again through the same catalogs', async () => {
    const source = migrationSource(database.urls.migrator);
    await source.initialize();
    const classes = source.options.migrations as MigrationClass[];
    const steps = classes.map((_, index) => index);
    const down: Catalog[] = [];
    const up: Catalog[] = [];
    try {
      for (let left = steps.length; left > 0; left -= 1) {
        down.unshift(await readCatalog(query));
        await source.undoLastMigration();
      }
      const empty = await readCatalog(query);
      const schemas = await query(`SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1`);
      for (const step of steps) {
        await run(classes.slice(0, step + 1));
        up.push(await readCatalog(query));
      }

      // bootstrap.sql creates the rest.
      expect(schemas.map(({ nspname }) => nspname)).toEqual(['information_schema', 'public', 'secrets']);
      expect(Object.keys(empty.relations ?? {})).toEqual(['public.schema_migrations', 'secrets.context_keys']);
      expect(empty.schemas).toEqual({
        public: { owner: 'gigvault_owner', grants: ['PUBLIC: USAGE'] },
        secrets: { owner: 'gigvault_owner', grants: ['gigvault_definer: USAGE'] },
      });
      expect([empty.functions, empty.defaultPrivileges, empty.lists]).toEqual([{}, {}, {}]);
      for (const step of steps) expect({ step, ...up[step] }).toEqual({ step, ...down[step] });
    } finally {
      await source.runMigrations();
      await source.destroy();
    }
  });

  async function run(migrations: MigrationClass[]): Promise<void> {
    const { options } = migrationSource(database.urls.migrator);
    const source = new DataSource({ ...options, migrations });
    await source.initialize();
    await source.runMigrations().finally(() => source.destroy());
  }

  it('all have the name of their file, so that a pending one is detected', async () => {
    const done = await query('SELECT name FROM schema_migrations ORDER BY timestamp');

    expect(done.map(({ name }) => name)).toEqual(migrationNames());
  });

  it('that have not run prevent the start, with one message', async () => {
    const problems = await findSchemaProblems(
      (sql) => database.query('app', sql),
      [...migrationNames(), 'CreateMoon1999999999999'],
    );

    expect(problems).toEqual(['migration CreateMoon1999999999999 has not run: npm run migrate']);
  });

  it('that this version does not have prevent the start, and the migration by this version', async () => {
    const [newest, ...older] = migrationNames().reverse();
    const reason =
      `the database has migrations that this version does not have: ${newest}. A newer release ran them, or ` +
      'their files were removed here: start that release; or, after removed files, put them back, npm start, ' +
      'npm run migrate:revert for each, and remove them again; or restore a backup that was made before';

    expect(await findSchemaProblems((sql) => database.query('app', sql), older)).toEqual([reason]);

    await withMigration('CreateMoon1999999999999', async () => {
      const message = 'migrations that this version does not have: CreateMoon1999999999999';
      await expect(runMigrations(database.urls.migrator)).rejects.toThrow(message);
    });
    expect(await runMigrations(database.urls.migrator)).toEqual([]);
  });

  it('of a version before the first release are refused before anything changes, with instructions', async () => {
    const reason =
      'the database was made by an earlier development version of Gigvault, with 2 migrations that this version does ' +
      'not have (CreateFoundation1795305600000 to CreateUsers1795305604000), and cannot be upgraded: ' +
      'use a new database, or drop this one and create it again';
    const superuser = (name: string) => Object.assign(new URL(database.urls.superuser), { pathname: `/${name}` }).href;
    const [{ here } = { here: '' }] = await query<{ here: string }>('SELECT current_database() AS here');
    // bootstrap.sql would revoke it.
    await query(`GRANT CONNECT ON DATABASE ${here} TO PUBLIC`);
    const before = await readCatalog(query);
    const attempts = [
      () => runMigrations(database.urls.migrator),
      () => revertLatestMigration(database.urls.migrator),
      () => bootstrapDatabase(superuser, here),
    ];

    await withMigration('CreateFoundation1795305600000', () =>
      withMigration('CreateUsers1795305604000', async () => {
        expect(await findSchemaProblems((sql) => database.query('app', sql))).toEqual([reason]);
        for (const attempt of attempts) await expect(attempt()).rejects.toThrow(`Nothing was changed: ${reason}.`);
        expect(await readCatalog(query)).toEqual(before);
        expect(
          await query(`SELECT FROM pg_database d, aclexplode(d.datacl) g
          WHERE d.datname = current_database() AND g.grantee = 0`),
        ).toHaveLength(1);
      }),
    );
    await bootstrapDatabase(superuser, here);
  });

  it('of an earlier commit, with the names of today and other contents, are refused with instructions', async () => {
    const reason =
      'the database was made by an earlier development version of Gigvault, before contexts were signed, and cannot ' +
      'be upgraded: use a new database, or drop this one and create it again';
    await query('ALTER VIEW auth.signed_session RENAME TO unknown');
    try {
      expect(await findSchemaProblems((sql) => database.query('app', sql))).toEqual([reason]);
      for (const attempt of [runMigrations, revertLatestMigration])
        await expect(attempt(database.urls.migrator)).rejects.toThrow(`Nothing was changed: ${reason}.`);
    } finally {
      await query('ALTER VIEW auth.unknown RENAME TO signed_session');
    }
    expect(await runMigrations(database.urls.migrator)).toEqual([]);
  });

  /** Runs work while the database records this migration as applied. */
  async function withMigration(name: string, work: () => Promise<void>): Promise<void> {
    await query(`INSERT INTO schema_migrations (timestamp, name) VALUES (${name.slice(-13)}, '${name}')`);
    await work().finally(() => query(`DELETE FROM schema_migrations WHERE name = '${name}'`));
  }
});

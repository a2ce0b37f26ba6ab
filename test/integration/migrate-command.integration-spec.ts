import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { isContextKeyKnown } from '../../src/platform/database/schema/context-check';
import { createTestDatabase, type TestDatabase } from '../support/test-database';

describe('npm run migrate', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gigvault-migrate-'));
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(async () => {
    await database.end();
    rmSync(folder, { recursive: true });
  });

  async function migrate(settings: Record<string, string>): Promise<string> {
    const env = { PATH: process.env.PATH, GIGVAULT_DATA_DIR: folder, ...settings };
    const command = ['src/cli/build.cjs', 'dist/src/cli/migrate.js'];
    return (await promisify(execFile)(process.execPath, command, { cwd: resolve(__dirname, '..', '..'), env })).stdout;
  }

  const readKeys = () => database.query('superuser', 'SELECT * FROM secrets.context_keys ORDER BY login, inner_pad');
  const readMigrations = () => database.query('superuser', 'SELECT * FROM schema_migrations ORDER BY id');

  it('reads the URL and CONTEXT_KEY from files, and stores that key, not the one of SECRET_KEY', async () => {
    const contextKey = randomBytes(32);
    const [urlFile, keyFile] = [join(folder, 'url'), join(folder, 'key')];
    writeFileSync(urlFile, database.urls.migrator);
    writeFileSync(keyFile, contextKey.toString('base64'));

    const output = await migrate({
      DATABASE_MIGRATION_URL_FILE: urlFile,
      SECRET_KEY: randomBytes(32).toString('base64'),
      CONTEXT_KEY_FILE: keyFile,
    });

    expect(output).toContain('The keys of signed contexts are stored.');
    expect(await isContextKeyKnown((sql, values) => database.query('app', sql, values), contextKey)).toBe(true);
  });

  it.each([
    ['CONTEXT_KEY', 'not a key'],
    ['CONTEXT_KEY', randomBytes(16).toString('base64')],
    ['SECRET_KEY', 'not a key'],
  ])('refuses a malformed %s before it changes anything', async (name, value) => {
    const before = await readKeys();
    const migrations = await readMigrations();
    const settings = { DATABASE_MIGRATION_URL: database.urls.migrator, [name]: value };

    await expect(migrate(settings)).rejects.toMatchObject({
      code: 1,
      stderr:
        'The settings are invalid (see .env.example):\n' + `  ${name}: must be base64 of at least 32 random bytes\n`,
    });
    expect(await readKeys()).toEqual(before);
    expect(await readMigrations()).toEqual(migrations);
  });

  it('says that it stored no key without their secret', async () => {
    const before = await readKeys();

    expect(await migrate({ DATABASE_MIGRATION_URL: database.urls.migrator })).toBe(
      'No migration is pending.\n' +
        'No key of signed contexts was stored: set SECRET_KEY and, if in use, CONTEXT_KEY as the servers do.\n',
    );
    expect(await readKeys()).toEqual(before);
  });
});

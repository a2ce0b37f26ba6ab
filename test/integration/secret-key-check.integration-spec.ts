import { randomBytes } from 'node:crypto';
import { SystemDatabase } from '../../src/platform/database/system-database';
import { matchesSecretKey, SecretKeyCheck } from '../../src/platform/encryption/secret-key-check';
import { startApp, type TestApp } from '../support/test-app';
import { buildTestConfig } from '../support/test-config';

describe('the check of SECRET_KEY at start', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp();
  });
  afterEach(async () => {
    await app.db.query('migrator', 'TRUNCATE secret_key_check');
    await app.get(SecretKeyCheck).verify();
  });
  afterAll(() => app.close());

  const readHashes = () => app.db.query<{ hash: string }>('superuser', 'SELECT hash FROM secret_key_check');
  const createConfig = () =>
    buildTestConfig({ SECRET_KEY: randomBytes(32).toString('base64'), PASSWORD_HASH_COST: '4' });

  it('refuses another key beside the right CONTEXT_KEY, and accepts the same one', async () => {
    const before = await readHashes();
    const settings = { SECRET_KEY: randomBytes(32).toString('base64') };

    await expect(startApp({ sharedWith: app, settings })).rejects.toThrow(
      'SECRET_KEY: the key belongs to another database, so all passwords of this one would be wrong: ' +
        'restore your copy, or replace the key for good by TRUNCATE secret_key_check (SECURITY.md)',
    );
    await (await startApp({ sharedWith: app })).close();
    expect(await readHashes()).toEqual(before);
    // The cost of the hash is that of passwords.
    expect(before).toEqual([{ hash: expect.stringMatching(/^\$2b\$04\$/) }]);
  });

  it('stores the new key of an operator who has removed the hash, whichever process is first', async () => {
    await app.db.query('migrator', 'TRUNCATE secret_key_check');
    const [config, other] = [createConfig(), createConfig()];
    const database = app.get(SystemDatabase);

    const checks = [config, config, config].map((each) => new SecretKeyCheck(database, each).verify());
    await Promise.all(checks);
    const [row] = await readHashes();

    expect(await matchesSecretKey(config, row!.hash)).toBe(true);
    expect(await matchesSecretKey(other, row!.hash)).toBe(false);
    await expect(new SecretKeyCheck(database, other).verify()).rejects.toThrow('SECRET_KEY: the key belongs to');
  });
});

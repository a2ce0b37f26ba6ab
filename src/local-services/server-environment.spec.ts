import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyFile } from '../platform/encryption/key-file';
import { buildServerEnvironment, shouldEmbedPostgres, InstallationSecrets } from './server-environment';
import { writePrivateFile } from './file-permissions';

describe(buildServerEnvironment.name, () => {
  const folder = mkdtempSync(join(tmpdir(), 'gigvault-secrets-'));
  const file = join(folder, 'secrets.json');
  afterAll(() => rmSync(folder, { recursive: true }));

  const postgres = { app: 'a', auth: 'b', worker: 'c', admin: 'd', owner: 'e', backup: 'f', monitor: 'g' };
  const buildProvided = () => ({
    secrets: InstallationSecrets.load(file),
    dataFolder: folder,
    port: undefined,
    postgres,
    redis: 'r',
  });

  it('provides every login, the keys and Redis when the launcher runs them', () => {
    const env = buildServerEnvironment({ OTHER: 'kept' }, buildProvided());

    expect(env).toMatchObject({
      OTHER: 'kept',
      GIGVAULT_EMBEDDED: 'true',
      DATABASE_URL: 'a',
      DATABASE_MIGRATION_URL: 'e',
      REDIS_URL: 'r',
      SECRET_KEY: InstallationSecrets.load(file).values.SECRET_KEY,
      CONTEXT_KEY: InstallationSecrets.load(file).values.CONTEXT_KEY,
      ENCRYPTION_KEY_FILE: join(folder, 'encryption-keys.json'),
    });
    expect(Buffer.from(env['CONTEXT_KEY']!, 'base64')).toHaveLength(32);
    expect(env['CONTEXT_KEY']).not.toBe(env['SECRET_KEY']);
    expect(env['ENCRYPTION_KEYS']).toBeUndefined();
    expect(statSync(env['ENCRYPTION_KEY_FILE']!).mode & 0o777).toBe(0o600);
    expect(env['GIGVAULT_ADMIN_PASSWORD']).toBeUndefined();
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('adds neither keys nor GIGVAULT_EMBEDDED for a database of the operator', () => {
    const env = buildServerEnvironment(
      { DATABASE_URL: 'theirs' },
      { ...buildProvided(), postgres: undefined, redis: undefined },
    );

    expect(env).toEqual({ DATABASE_URL: 'theirs', GIGVAULT_DATA_DIR: folder });
  });

  it('moves the master keys of an older installation into their file, and never creates lost keys again', () => {
    const older = join(folder, 'older');
    const key = Buffer.alloc(32, 9).toString('base64');
    mkdirSync(older);
    writePrivateFile(
      join(older, 'secrets.json'),
      JSON.stringify({ ...InstallationSecrets.load(file).values, ENCRYPTION_KEYS: `k2:${key},k1:${key}` }),
    );

    const { keyFile } = InstallationSecrets.load(join(older, 'secrets.json'));

    expect(new KeyFile(keyFile).read()).toEqual({
      current: 'k2',
      keys: new Map([
        ['k2', Buffer.alloc(32, 9)],
        ['k1', Buffer.alloc(32, 9)],
      ]),
    });
    expect(readFileSync(join(older, 'secrets.json'), 'utf8')).not.toContain(key);
    rmSync(keyFile);
    InstallationSecrets.load(join(older, 'secrets.json'));
    expect(existsSync(keyFile)).toBe(false);
  });

  it('derives the context key of an older installation from its secret key', () => {
    const older = join(folder, 'without-context-key');
    const { CONTEXT_KEY, ...stored } = InstallationSecrets.load(file).values;
    mkdirSync(older);
    writePrivateFile(join(older, 'secrets.json'), JSON.stringify(stored));
    const secrets = InstallationSecrets.load(join(older, 'secrets.json'));

    expect(CONTEXT_KEY).toBeDefined();
    expect(buildServerEnvironment({}, { ...buildProvided(), secrets })).not.toHaveProperty('CONTEXT_KEY');
  });

  it("prefers the operator's keys and admin to the generated ones", () => {
    const { secrets, ...rest } = buildProvided();
    secrets.createAdmin();
    const env = {
      SECRET_KEY: 'mine',
      CONTEXT_KEY: 'also mine',
      ENCRYPTION_KEYS: 'mine:too',
      GIGVAULT_ADMIN_EMAIL: 'me@example.com',
      GIGVAULT_ADMIN_PASSWORD: 'mine too',
    };

    expect(buildServerEnvironment(env, { secrets, ...rest })).toMatchObject(env);
    expect(buildServerEnvironment(env, { secrets, ...rest })['ENCRYPTION_KEY_FILE']).toBeUndefined();
    expect(buildServerEnvironment({}, { secrets, ...rest })['GIGVAULT_ADMIN_EMAIL']).toBe('admin@gigvault.local');
    secrets.forgetAdmin();
    expect(InstallationSecrets.load(file).values.admin).toBeUndefined();
  });
});

describe(shouldEmbedPostgres.name, () => {
  it('uses the database of the operator when DATABASE_URL is set', () => {
    expect(shouldEmbedPostgres({})).toBe(true);
    expect(shouldEmbedPostgres({ DATABASE_URL: 'x', DATABASE_AUTH_URL: 'y' })).toBe(false);
    expect(() => shouldEmbedPostgres({ DATABASE_AUTH_URL: 'y' })).toThrow('DATABASE_AUTH_URL');
  });
});

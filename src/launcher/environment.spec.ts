import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serverEnvironment, wantsEmbeddedPostgres } from './environment';
import { Secrets } from './secrets';

describe(serverEnvironment.name, () => {
  const folder = mkdtempSync(join(tmpdir(), 'gigvault-secrets-'));
  const file = join(folder, 'secrets.json');
  afterAll(() => rmSync(folder, { recursive: true }));

  const postgres = { app: 'a', auth: 'b', worker: 'c', admin: 'd', owner: 'e', backup: 'f', monitor: 'g' };
  const supplies = () => ({ secrets: Secrets.load(file), dataFolder: folder, port: undefined, postgres, redis: 'r' });

  it('gives every login, the keys and Redis when the launcher runs them', () => {
    const env = serverEnvironment({ OTHER: 'kept' }, supplies());

    expect(env).toMatchObject({
      OTHER: 'kept',
      GIGVAULT_EMBEDDED: 'true',
      DATABASE_URL: 'a',
      DATABASE_MIGRATION_URL: 'e',
      REDIS_URL: 'r',
      SECRET_KEY: Secrets.load(file).values.SECRET_KEY,
    });
    expect(env['GIGVAULT_ADMIN_PASSWORD']).toBeUndefined();
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("adds nothing to an operator's own database: neither keys nor the mark of embedded services", () => {
    const env = serverEnvironment({ DATABASE_URL: 'theirs' }, { ...supplies(), postgres: undefined, redis: undefined });

    expect(env).toEqual({ DATABASE_URL: 'theirs', GIGVAULT_DATA_DIR: folder });
  });

  it("prefers the person's keys and admin to the made ones", () => {
    const { secrets, ...rest } = supplies();
    secrets.makeAdmin();
    const env = { SECRET_KEY: 'mine', GIGVAULT_ADMIN_EMAIL: 'me@example.com', GIGVAULT_ADMIN_PASSWORD: 'mine too' };

    expect(serverEnvironment(env, { secrets, ...rest })).toMatchObject(env);
    expect(serverEnvironment({}, { secrets, ...rest })['GIGVAULT_ADMIN_EMAIL']).toBe('admin@gigvault.local');
    secrets.forgetAdmin();
    expect(Secrets.load(file).values.admin).toBeUndefined();
  });
});

describe(wantsEmbeddedPostgres.name, () => {
  it('leaves the database to the operator who sets DATABASE_URL', () => {
    expect(wantsEmbeddedPostgres({})).toBe(true);
    expect(wantsEmbeddedPostgres({ DATABASE_URL: 'x', DATABASE_AUTH_URL: 'y' })).toBe(false);
    expect(() => wantsEmbeddedPostgres({ DATABASE_AUTH_URL: 'y' })).toThrow('DATABASE_AUTH_URL');
  });
});

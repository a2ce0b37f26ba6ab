import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildTestEnvironment } from '../../../test/support/test-config';
import { ConfigError, loadConfig, loadServerConfig, readVariables, removeClientVariables } from './load-config';

describe(removeClientVariables.name, () => {
  it('removes the variables of PostgreSQL clients and no others', () => {
    const environment = {
      PGSSLMODE: 'require',
      PGHOST: 'db.invalid',
      PGPASSWORD: 'x',
      PGSERVICEFILE: '/x',
      PGOPTIONS: '-c x=y',
      NODE_PG_FORCE_NATIVE: '1',
      PG: 'a page',
      DATABASE_URL: 'postgres://x?sslmode=require',
      PATH: '/bin',
    };

    removeClientVariables(environment);

    expect(environment).toEqual({ PG: 'a page', DATABASE_URL: 'postgres://x?sslmode=require', PATH: '/bin' });
  });
});

describe(readVariables.name, () => {
  const folder = mkdtempSync(join(tmpdir(), 'gigvault-variables-'));
  const file = join(folder, 'secret');
  const url = 'postgres://login:in-a-file@127.0.0.1:1/gigvault';
  beforeAll(() => writeFileSync(file, `${url}\n`));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('reads NAME from the file of NAME_FILE, without its line break', () => {
    const changes = { DATABASE_AUTH_URL: undefined, DATABASE_AUTH_URL_FILE: file };

    expect(loadConfig(buildTestEnvironment(changes)).database.urls.auth).toBe(url);
    expect(loadServerConfig('worker', buildTestEnvironment(changes)).database.urls.auth).toBe(url);
    expect(readVariables({ DATABASE_SUPERUSER_URL_FILE: file })).toEqual({ DATABASE_SUPERUSER_URL: url });
  });

  it('leaves files alone that are no settings, or settings themselves', () => {
    const environment = { VAULT_TOKEN_FILE: '/nowhere', SSL_CERT_FILE: '/nowhere', NO_SETTING_FILE: '/nowhere' };

    expect(readVariables(environment)).toEqual(environment);
  });

  it('refuses a file that cannot be read and a setting with both forms, and prints no value', () => {
    const environment = {
      DATABASE_AUTH_URL_FILE: join(folder, 'missing'),
      DATABASE_URL: url,
      DATABASE_URL_FILE: file,
    };

    expect(() => readVariables(environment)).toThrow(
      new ConfigError([
        'DATABASE_AUTH_URL_FILE: the file cannot be read',
        'DATABASE_URL, DATABASE_URL_FILE: set only one of them',
      ]),
    );
  });

  it('does not read the file of a login that the server does not use', () => {
    const changes = { DATABASE_BACKUP_URL: undefined, DATABASE_BACKUP_URL_FILE: join(folder, 'missing') };

    expect(loadServerConfig('api', buildTestEnvironment(changes)).database.urls.backup).toBeUndefined();
    expect(() => loadServerConfig('worker', buildTestEnvironment(changes))).toThrow('DATABASE_BACKUP_URL_FILE: ');
  });
});

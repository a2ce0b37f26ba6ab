import { buildTestEnvironment } from '../../../test/support/test-config';
import { ConfigError, loadServerConfig } from './load-config';
import { LOGIN_SETTINGS, listForeignVariables, selectServerEnvironment, type ServerKind } from './process-settings';

const SECRETS_OF_OTHERS = {
  DATABASE_SUPERUSER_URL: 'postgres://x',
  DATABASE_PASSWORD_BACKUP: 'x',
  POSTGRES_PASSWORD: 'x',
  REDIS_PASSWORD: 'x',
  GIGVAULT_ADMIN_EMAIL: 'admin@example.com',
  GIGVAULT_ADMIN_PASSWORD: 'long enough',
  AI_OPENAI_API_KEY: 'x',
  BACKUP_SCRATCH_URL: 'postgres://x',
};

describe(selectServerEnvironment.name, () => {
  it.each<[ServerKind, string[]]>([
    [
      'api',
      [
        'AI_OPENAI_API_KEY',
        'DATABASE_ADMIN_URL',
        'DATABASE_AUTH_URL',
        'DATABASE_MONITOR_URL',
        'DATABASE_URL',
        'GIGVAULT_ADMIN_EMAIL',
        'GIGVAULT_ADMIN_PASSWORD',
      ],
    ],
    [
      'worker',
      [
        'BACKUP_SCRATCH_URL',
        'DATABASE_AUTH_URL',
        'DATABASE_BACKUP_URL',
        'DATABASE_MONITOR_URL',
        'DATABASE_URL',
        'DATABASE_WORKER_URL',
      ],
    ],
  ])('leaves the %s only the logins and secrets that it uses', (kind, expected) => {
    const environment: NodeJS.ProcessEnv = { ...buildTestEnvironment(SECRETS_OF_OTHERS), OTHER: 'kept' };

    const selected = selectServerEnvironment(kind, environment);

    const names = [...LOGIN_SETTINGS, ...Object.keys(SECRETS_OF_OTHERS)].filter((name) => selected[name] !== undefined);
    expect(names.sort()).toEqual(expected);
    expect(selected).toMatchObject({ OTHER: 'kept', SECRET_KEY: environment['SECRET_KEY'] });
    expect(listForeignVariables(kind, selected)).toEqual([]);
  });
});

describe(loadServerConfig.name, () => {
  it.each<[ServerKind, string[], 'backup' | 'admin', string]>([
    ['api', ['admin', 'app', 'auth', 'monitor'], 'backup', 'This process has no login gigvault_backup.'],
    ['worker', ['app', 'auth', 'backup', 'monitor', 'worker'], 'admin', 'This process has no login gigvault_admin.'],
  ])('gives the %s its own logins, also when the environment has all', (kind, expected, foreign, message) => {
    const config = loadServerConfig(kind, buildTestEnvironment());

    const { urls } = config.database;
    expect(
      Object.keys(urls)
        .filter((login) => urls[login as keyof typeof urls] !== undefined)
        .sort(),
    ).toEqual(expected);
    expect(config.getDatabaseUrl('app')).toBe(urls.app);
    expect(() => config.getDatabaseUrl(foreign)).toThrow(message);
  });

  it('requires its own logins and no others', () => {
    const environment = buildTestEnvironment({
      DATABASE_ADMIN_URL: undefined,
      DATABASE_BACKUP_URL: undefined,
      DATABASE_MIGRATION_URL: undefined,
    });

    expect(() => loadServerConfig('api', environment)).toThrow(new ConfigError(['DATABASE_ADMIN_URL: is missing']));
    expect(() => loadServerConfig('worker', environment)).toThrow(new ConfigError(['DATABASE_BACKUP_URL: is missing']));
  });
});

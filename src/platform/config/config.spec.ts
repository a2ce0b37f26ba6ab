import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { ConfigError, loadConfig, loadSettings } from './load-config';
import { envExample } from './settings';
import { buildTestEnvironment } from '../../../test/support/test-config';

const KEY = Buffer.alloc(32, 7).toString('base64');

function findProblems(changes: NodeJS.ProcessEnv): readonly string[] {
  try {
    loadConfig(buildTestEnvironment(changes));
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('loadConfig', () => {
  it('fills in the defaults', () => {
    const config = loadConfig(buildTestEnvironment({ NODE_ENV: '', PORT: '', LOG_LEVEL: undefined }));

    expect(config.http).toMatchObject({ host: '127.0.0.1', port: 3000, publicUrl: 'http://127.0.0.1:3000' });
    expect(config.limits).toMatchObject({ requestsPerMinute: 600, bodyBytes: 1_048_576, importBytes: 67_108_864 });
    expect(config.log.level).toBe('info');
    expect(config.embedded).toBe(false);
  });

  it('reads hosts of PostgreSQL and Sentinels', () => {
    const config = loadConfig(
      buildTestEnvironment({ DATABASE_HOSTS: 'db1:5432, [::1]:5433', REDIS_SENTINELS: '10.0.0.1:26379' }),
    );

    expect(config.database.hosts).toEqual([
      { host: 'db1', port: 5432 },
      { host: '::1', port: 5433 },
    ]);
    expect(config.redis.sentinel).toMatchObject({ hosts: [{ host: '10.0.0.1', port: 26379 }], name: 'mymaster' });
    expect(loadConfig(buildTestEnvironment()).redis.sentinel).toBeUndefined();
  });

  it('splits lists and keys', () => {
    const config = loadConfig(
      buildTestEnvironment({ TRUSTED_PROXIES: '10.0.0.0/8, ::1', ENCRYPTION_KEYS: `new:${KEY},old:${KEY}` }),
    );

    expect(config.http.trustedProxies).toEqual(['10.0.0.0/8', '::1']);
    expect(config.encryption.keys.map(({ id, key }) => [id, key.length])).toEqual([
      ['new', 32],
      ['old', 32],
    ]);
  });

  it('reports every invalid variable at once and never prints a value', () => {
    const canary = 'canary-5e1f';

    const problems = findProblems({
      PORT: canary,
      DATABASE_URL: canary,
      REDIS_URL: undefined,
      SECRET_KEY: canary,
      ENCRYPTION_KEYS: `k1:${canary}`,
      NODE_ENV: canary,
      GIGVAULT_ADMIN_EMAIL: canary,
      GIGVAULT_ADMIN_PASSWORD: 'short',
      TRUSTED_PROXIES: canary,
      CORS_ORIGINS: canary,
      GIGVAULT_EMBEDDED: canary,
    });

    expect(problems.map((problem) => problem.split(':')[0]).sort()).toEqual([
      'CORS_ORIGINS',
      'DATABASE_URL',
      'ENCRYPTION_KEYS',
      'GIGVAULT_ADMIN_EMAIL',
      'GIGVAULT_ADMIN_PASSWORD',
      'GIGVAULT_EMBEDDED',
      'NODE_ENV',
      'PORT',
      'REDIS_URL',
      'SECRET_KEY',
      'TRUSTED_PROXIES',
    ]);
    expect(problems).toContain('REDIS_URL: is missing');
    expect(problems.join()).not.toContain(canary);
  });

  it.each([
    ['a port out of range', { PORT: '70000' }, 'PORT'],
    ['a negative number', { DATABASE_POOL_SIZE: '-3' }, 'DATABASE_POOL_SIZE: must be a whole number from 1 to 500'],
    ['a short secret key', { SECRET_KEY: Buffer.alloc(31).toString('base64') }, 'SECRET_KEY'],
    ['two keys of one id', { ENCRYPTION_KEYS: `k:${KEY},k:${KEY}` }, 'ENCRYPTION_KEYS'],
    ['an admin without a password', { GIGVAULT_ADMIN_EMAIL: 'a@b.example' }, 'GIGVAULT_ADMIN_EMAIL'],
    [
      'a bucket without its keys',
      { BACKUP_S3_BUCKET: 'backups' },
      'BACKUP_S3_ENDPOINT, BACKUP_S3_ACCESS_KEY, BACKUP_S3_SECRET_KEY',
    ],
    ['a relative file of the stream', { AUDIT_STREAM: 'file:audit.jsonl' }, 'AUDIT_STREAM: must be file:/PATH'],
    ['a syslog server without a port', { AUDIT_STREAM: 'syslog+tcp://siem.example' }, 'AUDIT_STREAM'],
    ['a syslog server with a login', { AUDIT_STREAM: 'syslog+tls://a:b@siem.example:6514' }, 'AUDIT_STREAM'],
    ['a key in Vault without its address', { ENCRYPTION_KEYS: 'v1:vault:gigvault' }, 'VAULT_ADDR: is missing'],
    ['a key in AWS without a region', { ENCRYPTION_KEYS: 'a1:aws:alias/gigvault' }, 'AWS_KMS_REGION: is missing'],
    ['a key in an unknown service', { ENCRYPTION_KEYS: 'g1:gcp:gigvault' }, 'ENCRYPTION_KEYS: must be'],
    [
      'data keys on the network without TLS in production',
      { NODE_ENV: 'production', VAULT_ADDR: 'http://vault:8200', VAULT_TOKEN: 'a-token' },
      'VAULT_ADDR: must begin with https',
    ],
    ...['http://localhost.example.com:8200', 'http://localhost:1@vault:8200'].map(
      (VAULT_ADDR): [string, Record<string, string>, string] => [
        `an address that only begins as one of this machine in production: ${VAULT_ADDR}`,
        { NODE_ENV: 'production', VAULT_ADDR, VAULT_TOKEN: 'a-token' },
        'VAULT_ADDR: must begin with https',
      ],
    ),
    ...['db1', 'db1:0', 'db1:70000', 'a:1,,b', 'postgres://db1:5432', '[::1:5432'].map(
      (DATABASE_HOSTS): [string, Record<string, string>, string] => [
        `hosts that are none: ${DATABASE_HOSTS}`,
        { DATABASE_HOSTS },
        'DATABASE_HOSTS: must be a list of host:port, separated by commas',
      ],
    ),
    ['a Sentinel without a port', { REDIS_SENTINELS: 'sentinel1' }, 'REDIS_SENTINELS: must be a list of host:port'],
    [
      'a password of no Sentinel',
      { REDIS_SENTINEL_PASSWORD: 'secret' },
      'REDIS_SENTINEL_PASSWORD: needs REDIS_SENTINELS',
    ],
    ['a missing authority of Redis', { REDIS_CA_FILE: '/no/ca.pem' }, 'REDIS_CA_FILE: must be a readable file'],
    ['a file that is no certificate', { REDIS_CA_FILE: 'package.json' }, 'REDIS_CA_FILE: must be a readable file'],
    [
      'a missing authority of PostgreSQL',
      { DATABASE_AUTH_URL: 'postgres://a@b/c?sslmode=verify-full&sslrootcert=/no/ca.pem' },
      'DATABASE_AUTH_URL: must have as sslrootcert a readable file of certificates',
    ],
    [
      'an sslmode that encrypts only perhaps',
      { DATABASE_URL: 'postgres://a@b/c?sslmode=prefer' },
      'DATABASE_URL: must have an sslmode of disable, no-verify, require, verify-full',
    ],
    ['an origin with a path', { CORS_ORIGINS: 'https://a.example/path' }, 'CORS_ORIGINS'],
  ])('rejects %s', (_, changes, name) => {
    expect(findProblems(changes)[0]).toMatch(new RegExp(`^${name}`));
  });

  it('rejects embedded services and a missing mail server in production', () => {
    const names = findProblems({ NODE_ENV: 'production', GIGVAULT_EMBEDDED: 'true' });

    expect(names.map((problem) => problem.split(':')[0])).toEqual(['GIGVAULT_EMBEDDED', 'SMTP_URL', 'PUBLIC_URL']);
  });

  it('is frozen and prints no key', () => {
    const config = loadConfig(buildTestEnvironment());

    expect(() => Object.assign(config, { embedded: true })).toThrow(TypeError);
    expect(() => Object.assign(config.http, { port: 1 })).toThrow(TypeError);
    expect(inspect(config.secrets, { showHidden: true, depth: 5 })).not.toContain('07 07');
    expect(JSON.stringify(config.secrets)).toBe('{}');
  });

  it('derives a stable key for each purpose', () => {
    const { secrets } = loadConfig(buildTestEnvironment());

    expect(secrets.derive('cursor')).toEqual(loadConfig(buildTestEnvironment()).secrets.derive('cursor'));
    expect(secrets.derive('cursor')).not.toEqual(secrets.derive('access-token'));
    expect(secrets.derive('cursor', 64)).toHaveLength(64);
  });
});

describe('loadSettings', () => {
  it('reads only the named settings', () => {
    const url = 'postgres://o:p@127.0.0.1/db';

    expect(loadSettings(['DATABASE_MIGRATION_URL'], { DATABASE_MIGRATION_URL: url })).toEqual({
      DATABASE_MIGRATION_URL: url,
    });
    expect(() => loadSettings(['DATABASE_MIGRATION_URL'], {})).toThrow('DATABASE_MIGRATION_URL: is missing');
  });
});

describe('envExample', () => {
  it('describes every setting, marks the required ones, and sets none', () => {
    const text = envExample();

    expect(text).toMatch(/^# PORT=3000$/m);
    expect(text).toMatch(/\(required\)\n# REDIS_URL=redis:/);
    expect(text).not.toMatch(/^# $/m);
    expect(text).not.toMatch(/^[^#\n]/m);
  });

  it('names the settings that the compose file passes on', () => {
    const compose = readFileSync('docker/compose.yml', 'utf8');
    const names = [...envExample().matchAll(/^# ([A-Z0-9_]+)=/gm)].map(([, name]) => name);
    const missing = names.filter((name) => !new RegExp(`^ +${name}(?:_FILE)?: `, 'm').test(compose));

    // A container has its own data folder, gets its keys by ENCRYPTION_KEYS, and BACKUP_DIR from the image.
    expect(missing).toEqual(['ENCRYPTION_KEY_FILE', 'BACKUP_DIR', 'GIGVAULT_EMBEDDED', 'GIGVAULT_DATA_DIR']);
  });

  it('equals .env.example; `npm run env:example` writes it', () => {
    expect(readFileSync('.env.example', 'utf8')).toBe(envExample());
  });
});

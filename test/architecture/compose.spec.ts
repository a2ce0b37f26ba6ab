import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { loadServerConfig } from '../../src/platform/config/load-config';
import {
  LOGIN_SETTINGS,
  listForeignLogins,
  listForeignVariables,
  type ServerKind,
} from '../../src/platform/config/process-settings';

interface Service {
  readonly image: string;
  readonly user?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  readonly networks: readonly string[];
  readonly ports?: readonly string[];
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly pids_limit: number;
  readonly mem_limit: string;
}

interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

const compose = parse(readFileSync('docker/compose.yml', 'utf8'), { merge: true }) as ComposeFile;
/** Optional secrets stay in .env, as the comment of the compose file says; NAME_FILE works for them too. */
const OPTIONAL_SECRETS = new RegExp(
  '^(?:GIGVAULT_ADMIN_PASSWORD|UPWORK_CLIENT_SECRET|VAULT_TOKEN|REDIS_SENTINEL_PASSWORD|BACKUP_SCRATCH_URL|' +
    '(?:BACKUP_S3|AWS_KMS|AI)_\\w+_KEY)$',
);

/** Matches a variable of .env with a secret, or with a URL that contains a password. */
const SECRET_VARIABLE = /\$\{\w*(?:PASSWORD|SECRET|TOKEN|_KEY|(?:DATABASE|REDIS|SMTP|SCRATCH)\w*_URL)\b/;

const services = Object.entries(compose.services);

/** Returns the settings of a service that it reads from files, with the names of the files. */
function readSecretFiles({ environment = {} }: Service): [setting: string, secret: string][] {
  return Object.entries(environment).flatMap(([name, value]) => {
    const [, secret] = /^\/run\/secrets\/(\w+)$/.exec(value) ?? [];
    return name.endsWith('_FILE') && secret ? [[name.slice(0, -'_FILE'.length), secret] as [string, string]] : [];
  });
}

describe('docker/compose.yml', () => {
  it.each(services)(
    'runs %s without root, rights, writable files of the image or unlimited resources',
    (_, service) => {
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
      expect(service.pids_limit).toBeGreaterThan(0);
      expect(service.mem_limit).toMatch(/^(?:\$\{[A-Z]+_MEMORY:-)?\d+[mg]\}?$/);
      if (service.image !== 'gigvault') expect(service.user).toBe(service.image.split(':')[0]);
    },
  );

  it('uses an image that does not run as root', () => {
    expect(readFileSync('docker/Dockerfile', 'utf8')).toMatch(/^USER node$/m);
  });

  it.each(services)('opens ports of %s on this machine only', (_, { ports = [] }) => {
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  it('separates PostgreSQL and Redis from each other and from the world', () => {
    const { postgres, redis } = compose.services;

    expect([postgres!.networks, redis!.networks]).toEqual([['database'], ['queues']]);
    expect(compose.networks['database']).toEqual({ internal: true });
    expect(compose.networks['queues']).toEqual({ internal: true });
  });

  it.each<ServerKind>(['api', 'worker'])('gives the %s its own logins and no others', (kind) => {
    const service = compose.services[kind]!;
    const foreign = listForeignLogins(kind);
    const logins = readSecretFiles(service).filter(([setting]) => setting.startsWith('DATABASE_'));

    expect(logins.map(([setting]) => setting).sort()).toEqual(
      LOGIN_SETTINGS.filter((name) => !foreign.includes(name)).sort(),
    );
    expect(listForeignVariables(kind, service.environment as NodeJS.ProcessEnv)).toEqual([]);
  });

  it.each(services)('gives %s secrets as files, and only those it reads', (_, service) => {
    const { environment = {}, secrets } = service;
    const read = readSecretFiles(service).map(([, secret]) => secret);
    // Redis includes its secret in its configuration.
    if (service.image === 'redis:7') read.push('redis_config');
    const plain = Object.entries(environment).filter(([, value]) => SECRET_VARIABLE.test(String(value)));

    expect([...secrets].sort()).toEqual(read.sort());
    expect(plain.map(([name]) => name).filter((name) => !OPTIONAL_SECRETS.test(name))).toEqual([]);
    expect(service.command?.join(' ') ?? '').not.toContain('$');
  });
});

describe('docker/generate-secrets', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gigvault-secrets-'));
  const generate = (env: NodeJS.ProcessEnv = {}): string =>
    execFileSync(resolve('docker', 'generate-secrets'), [folder], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], ...env },
    });
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8').trimEnd();
  beforeAll(() => void generate({ SMTP_URL: 'smtps://smtp.example.com', DATABASE_PASSWORD_APP: 'kept' }));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('creates every secret once, closed to other users, and keeps the passwords of an earlier .env', () => {
    const before = readdirSync(folder).map((name) => read(name));
    const again = generate({ SMTP_URL: 'smtps://other.example.com', DATABASE_PASSWORD_APP: 'other' });

    expect(readdirSync(folder).sort()).toEqual(Object.keys(compose.secrets).sort());
    expect(again).toBe('');
    expect(readdirSync(folder).map((name) => read(name))).toEqual(before);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(read('database_url')).toBe('postgres://gigvault_app:kept@postgres:5432/gigvault');
    expect(read('database_superuser_url')).toContain(`:${read('postgres_password')}@`);
    expect(read('redis_url')).toBe(`redis://:${read('redis_config').replace('requirepass ', '')}@redis:6379`);
  });

  it.each<ServerKind>(['api', 'worker'])('creates what the %s accepts', (kind) => {
    const files = readSecretFiles(compose.services[kind]!).map(([setting, secret]) => [
      `${setting}_FILE`,
      join(folder, secret),
    ]);

    const config = loadServerConfig(kind, {
      NODE_ENV: 'production',
      PUBLIC_URL: 'https://gigvault.example',
      ...(Object.fromEntries(files) as NodeJS.ProcessEnv),
    });

    expect(config.database.urls.app).toBe(read('database_url'));
    expect(config.encryption.ids).toEqual(['k1']);
  });
});

import { rmSync } from 'node:fs';
import { readDisposableJsonFile, readJsonFile, writePrivateFile } from './file-permissions';
import { LOGIN_ROLES, LOGINS, type Role, createPassword, createPasswords } from './database-setup';
import { KEY_FILE_NAME, OperatorError } from './data-folder';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { KeyFile, newMasterKey, type KeyRing } from '../platform/encryption/key-file';

interface StoredSecrets {
  SECRET_KEY: string;
  /** Undefined in an installation of an earlier version, which derives it from SECRET_KEY. */
  CONTEXT_KEY?: string;
  /** Undefined as above. */
  AUDIT_SIGNING_KEY?: string;
  /** Passwords of the database logins. */
  passwords: Record<Role, string>;
  redisPassword: string;
  /** Name of the services' data folder under root. */
  servicesName: string;
  /** Deleted once the launcher has shown it. */
  admin?: { email: string; password: string };
  /** Ports of the last start; reused so that noted URLs stay valid. */
  ports: { postgres?: number; redis?: number };
}

/** Earlier format of the file, with the master keys. */
interface LegacySecrets extends StoredSecrets {
  ENCRYPTION_KEYS?: string;
}

/**
 * Secrets of an installation on embedded services. The first start creates two files that only their owner can read:
 * this one and the master keys, which a rotation changes. Without either file the data is lost.
 */
export class InstallationSecrets {
  private constructor(
    private readonly file: string,
    private stored: StoredSecrets,
  ) {}

  /** Reads the file, or creates it and the master keys. */
  static load(file: string): InstallationSecrets {
    const { ENCRYPTION_KEYS: older, ...found }: Partial<LegacySecrets> = readSecrets(file) ?? {};
    const isNew = found.SECRET_KEY === undefined;
    const secrets = new InstallationSecrets(file, isNew ? createSecrets() : (found as StoredSecrets));
    // The keys first: this file marks them as created, and they are never created again.
    if (isNew || older !== undefined)
      new KeyFile(secrets.keyFile).create(older === undefined ? createKeyRing() : parseKeyRing(older));
    if (isNew || older !== undefined) secrets.save();
    return secrets;
  }

  /** The path of the master keys. */
  get keyFile(): string {
    return join(dirname(this.file), KEY_FILE_NAME);
  }

  get values(): Readonly<StoredSecrets> {
    return this.stored;
  }

  /** Generates the password for the admin of a new database; stored until `forgetAdmin`. */
  createAdmin(): void {
    this.update({ admin: { email: 'admin@gigvault.local', password: createPassword() } });
  }

  /** Deletes the admin's password. */
  forgetAdmin(): void {
    this.update({ admin: undefined });
  }

  /** Stores the ports for the next start. */
  savePorts(ports: StoredSecrets['ports']): void {
    this.update({ ports });
  }

  private update(changes: Partial<StoredSecrets>): void {
    this.stored = { ...this.stored, ...changes };
    this.save();
  }

  private save(): void {
    writePrivateFile(this.file, `${JSON.stringify(this.stored, null, 2)}\n`);
  }
}

function createSecrets(): StoredSecrets {
  return {
    SECRET_KEY: randomBytes(32).toString('base64'),
    CONTEXT_KEY: randomBytes(32).toString('base64'),
    AUDIT_SIGNING_KEY: randomBytes(32).toString('base64'),
    passwords: createPasswords(),
    redisPassword: createPassword(),
    servicesName: randomBytes(16).toString('hex'),
    ports: {},
  };
}

function createKeyRing(): KeyRing {
  return { current: 'k1', keys: new Map([['k1', newMasterKey()]]) };
}

/** Parses `id:base64[,id:base64…]`, the current key first. */
function parseKeyRing(text: string): KeyRing {
  const keys = text.split(',').map((entry) => entry.split(':') as [id: string, key: string]);
  return { current: keys[0]![0], keys: new Map(keys.map(([id, key]) => [id, Buffer.from(key, 'base64')])) };
}

/** @throws OperatorError when the file is damaged; new secrets would not open the data */
function readSecrets(file: string): LegacySecrets | undefined {
  try {
    return readJsonFile<LegacySecrets>(file);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const folder = dirname(file);
    const copy = `cp YOUR_COPY ${file} && chmod 600 ${file}`;
    throw new OperatorError(`${file} is damaged`, `${copy}, or begin empty: mv ${folder} ${folder}-old`);
  }
}

/** Key of a role's URL in services.json. `owner` is the migration login, which acts as the tables' owner. */
export type ServiceRole = Exclude<Role, 'migrator'> | 'owner';

/** The services that the launcher has started. */
export interface InstallationServices {
  api: string;
  postgres?: Record<ServiceRole, string>;
  redis?: string;
  /** With --fake-upwork. */
  fakeUpwork?: string;
  /** With --fake-ai. */
  fakeAi?: string;
  pids: Record<string, number>;
}

/** The file `services.json`: exists while the launcher runs; only its owner can read it. */
export class ServicesFile {
  constructor(readonly path: string) {}

  /** Replaces the file. */
  write(services: InstallationServices): void {
    writePrivateFile(this.path, `${JSON.stringify(services, null, 2)}\n`);
  }

  /** Returns the content; undefined when no launcher runs. */
  read(): InstallationServices | undefined {
    return readDisposableJsonFile<InstallationServices>(this.path);
  }

  /** Removes the file, if there is one. */
  remove(): void {
    rmSync(this.path, { force: true });
  }
}

/** Returns the URLs by role; `urlOf(login, role)` builds each. */
export function buildRoleUrls(urlOf: (login: string, role: Role) => string): Record<ServiceRole, string> {
  const entries = LOGIN_ROLES.map((role) => [role === 'migrator' ? 'owner' : role, urlOf(LOGINS[role], role)]);
  return Object.fromEntries([['superuser', urlOf('postgres', 'superuser')], ...entries]) as Record<ServiceRole, string>;
}

/** The variables of the database logins, without DATABASE_URL, and their roles. */
export const DATABASE_URL_ROLES = {
  DATABASE_AUTH_URL: 'auth',
  DATABASE_WORKER_URL: 'worker',
  DATABASE_ADMIN_URL: 'admin',
  DATABASE_MIGRATION_URL: 'owner',
  DATABASE_BACKUP_URL: 'backup',
  DATABASE_MONITOR_URL: 'monitor',
} as const;

/** The part of the environment that the launcher provides. */
export interface ProvidedSettings {
  secrets: InstallationSecrets;
  dataFolder: string;
  /** The folder of API and worker under root; by default they use `dataFolder` and the key file in it. */
  serversFolder?: string;
  /** Undefined: the operator's PORT applies. */
  port: number | undefined;
  /** URLs by the keys of services.json; undefined when the operator sets DATABASE_URL. */
  postgres: Record<(typeof DATABASE_URL_ROLES)[keyof typeof DATABASE_URL_ROLES] | 'app', string> | undefined;
  redis: string | undefined;
  /** Settings of the requested fakes; they override the operator's. */
  fakes?: Readonly<Record<string, string>>;
}

/**
 * Returns true when the launcher runs PostgreSQL itself: DATABASE_URL is not set.
 * @throws OperatorError when another DATABASE_…_URL is set without DATABASE_URL
 */
export function shouldEmbedPostgres(env: NodeJS.ProcessEnv): boolean {
  if (env['DATABASE_URL']) return false;
  const partial = Object.keys(DATABASE_URL_ROLES).filter((name) => env[name]);
  if (partial.length > 0)
    throw new OperatorError(`${partial.join(', ')}: set, but DATABASE_URL is not. Set all or none.`);
  return true;
}

/** Returns the environment of API and worker: the operator's, completed by the launcher. */
export function buildServerEnvironment(env: NodeJS.ProcessEnv, provided: ProvidedSettings): NodeJS.ProcessEnv {
  const { postgres, redis } = provided;
  return {
    ...env,
    ...(provided.port !== undefined && { PORT: String(provided.port) }),
    GIGVAULT_DATA_DIR: provided.serversFolder ?? provided.dataFolder,
    ...(redis && { REDIS_URL: redis }),
    ...provided.fakes,
    ...(postgres && {
      GIGVAULT_EMBEDDED: 'true',
      DATABASE_URL: postgres.app,
      ...Object.fromEntries(Object.entries(DATABASE_URL_ROLES).map(([name, role]) => [name, postgres[role]])),
      ...selectKeys(env, provided.secrets, provided.serversFolder && join(provided.serversFolder, KEY_FILE_NAME)),
    }),
  };
}

/** Selects keys and admin for the embedded database; a database of the operator needs the operator's keys. */
export function selectKeys(
  env: NodeJS.ProcessEnv,
  { values, keyFile: ownKeyFile }: InstallationSecrets,
  keyFile = ownKeyFile,
): NodeJS.ProcessEnv {
  const { GIGVAULT_ADMIN_EMAIL: email, GIGVAULT_ADMIN_PASSWORD: password } = env;
  const contextKey = env['CONTEXT_KEY'] || values.CONTEXT_KEY;
  const signingKey = env['AUDIT_SIGNING_KEY'] || values.AUDIT_SIGNING_KEY;
  return {
    SECRET_KEY: env['SECRET_KEY'] || values.SECRET_KEY,
    ...(contextKey && { CONTEXT_KEY: contextKey }),
    ...(signingKey && { AUDIT_SIGNING_KEY: signingKey }),
    AUDIT_HEAD_FILE: env['AUDIT_HEAD_FILE'] || join(dirname(keyFile), 'audit-head.txt'),
    ...(!env['ENCRYPTION_KEYS'] && { ENCRYPTION_KEY_FILE: env['ENCRYPTION_KEY_FILE'] || keyFile }),
    ...(!email &&
      !password &&
      values.admin && { GIGVAULT_ADMIN_EMAIL: values.admin.email, GIGVAULT_ADMIN_PASSWORD: values.admin.password }),
  };
}

import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { KeyFile, newMasterKey, type KeyRing } from '../platform/encryption/key-file';
import { readJsonFile, writePrivateFile } from './file-permissions';
import { type Role, createPassword, createPasswords } from './database-setup';

interface StoredSecrets {
  SECRET_KEY: string;
  /** Of the database logins. */
  passwords: Record<Role, string>;
  redisPassword: string;
  /** Root's data folder of the services has this name. */
  servicesName: string;
  /** Kept only until it was shown once. */
  admin?: { email: string; password: string };
  /** The ports of the last start, so that a URL a person has noted stays good. */
  ports: { postgres?: number; redis?: number };
}

/** What the file held before the master keys had one of their own. */
interface LegacySecrets extends StoredSecrets {
  ENCRYPTION_KEYS?: string;
}

/**
 * Are the secrets of an installation on embedded services, in two files only their owner may read, made at the first
 * start: this one, and the master keys beside it, which a rotation changes. Whoever loses one of them loses the data.
 */
export class InstallationSecrets {
  private constructor(
    private readonly file: string,
    private stored: StoredSecrets,
  ) {}

  /** Reads the file, or makes it together with the master keys. */
  static load(file: string): InstallationSecrets {
    const { ENCRYPTION_KEYS: older, ...found }: Partial<LegacySecrets> = readJsonFile<LegacySecrets>(file) ?? {};
    const isNew = found.SECRET_KEY === undefined;
    const secrets = new InstallationSecrets(file, isNew ? createSecrets() : (found as StoredSecrets));
    // The keys first: this file says that they were made, and they are never made again.
    if (isNew || older !== undefined)
      new KeyFile(secrets.keyFile).create(older === undefined ? createKeyRing() : parseKeyRing(older));
    if (isNew || older !== undefined) secrets.save();
    return secrets;
  }

  /** The path of the master keys. */
  get keyFile(): string {
    return join(dirname(this.file), 'encryption-keys.json');
  }

  get values(): Readonly<StoredSecrets> {
    return this.stored;
  }

  /** Makes a password for the admin of a new database; it is kept until `forgetAdmin`. */
  createAdmin(): void {
    this.update({ admin: { email: 'admin@gigvault.local', password: createPassword() } });
  }

  /** Forgets the admin's password, which was shown. */
  forgetAdmin(): void {
    this.update({ admin: undefined });
  }

  /** Remembers the ports for the next start. */
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
    passwords: createPasswords(),
    redisPassword: createPassword(),
    servicesName: randomBytes(16).toString('hex'),
    ports: {},
  };
}

function createKeyRing(): KeyRing {
  return { current: 'k1', keys: new Map([['k1', newMasterKey()]]) };
}

/** Reads `id:base64[,id:base64…]`, the current one first. */
function parseKeyRing(text: string): KeyRing {
  const keys = text.split(',').map((entry) => entry.split(':') as [id: string, key: string]);
  return { current: keys[0]![0], keys: new Map(keys.map(([id, key]) => [id, Buffer.from(key, 'base64')])) };
}

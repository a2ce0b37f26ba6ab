import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { KeyFile, newMasterKey, type KeyRing } from '../platform/encryption/key-file';
import { OperatorError } from './data-folder';
import { readJsonFile, writePrivateFile } from './file-permissions';
import { type Role, createPassword, createPasswords } from './database-setup';

interface StoredSecrets {
  SECRET_KEY: string;
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
    return join(dirname(this.file), 'encryption-keys.json');
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
    const removal = `To begin with an empty database instead, move ${dirname(file)} away.`;
    throw new OperatorError(`${file} is damaged; restore it from your copy.\n${removal}`);
  }
}

import { randomBytes } from 'node:crypto';
import { readJsonFile, writePrivateFile } from './private-file';
import { type Role, newPassword, newPasswords } from './roles';

interface StoredSecrets {
  SECRET_KEY: string;
  ENCRYPTION_KEYS: string;
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

/**
 * Are the secrets of an installation on embedded services, in a file only its owner may read, made at the first
 * start. Whoever loses the file loses the data: it holds the keys.
 */
export class Secrets {
  private constructor(
    private readonly file: string,
    private stored: StoredSecrets,
  ) {}

  /** Reads the file, or makes it. */
  static load(file: string): Secrets {
    const found = readJsonFile<StoredSecrets>(file);
    const secrets = new Secrets(file, found ?? fresh());
    if (!found) secrets.save();
    return secrets;
  }

  get values(): Readonly<StoredSecrets> {
    return this.stored;
  }

  /** Makes a password for the admin of a new database; it is kept until `forgetAdmin`. */
  makeAdmin(): void {
    this.change({ admin: { email: 'admin@gigvault.local', password: newPassword() } });
  }

  /** Forgets the admin's password, which was shown. */
  forgetAdmin(): void {
    this.change({ admin: undefined });
  }

  /** Remembers the ports for the next start. */
  rememberPorts(ports: StoredSecrets['ports']): void {
    this.change({ ports });
  }

  private change(changes: Partial<StoredSecrets>): void {
    this.stored = { ...this.stored, ...changes };
    this.save();
  }

  private save(): void {
    writePrivateFile(this.file, `${JSON.stringify(this.stored, null, 2)}\n`);
  }
}

function fresh(): StoredSecrets {
  return {
    SECRET_KEY: randomBytes(32).toString('base64'),
    ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    passwords: newPasswords(),
    redisPassword: newPassword(),
    servicesName: randomBytes(16).toString('hex'),
    ports: {},
  };
}

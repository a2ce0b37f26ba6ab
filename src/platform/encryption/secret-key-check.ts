import { Injectable } from '@nestjs/common';
import { compare, hash } from 'bcrypt';
import { Config } from '../config/config';
import { ConfigError } from '../config/load-config';
import { SystemDatabase } from '../database/system-database';

export const FIND_SECRET_KEY_CHECK = 'SELECT hash FROM auth.find_secret_key_check()';

/** Returns whether the hash, from the database, was computed with the SECRET_KEY of this configuration. */
export function matchesSecretKey(config: Config, storedHash: string): Promise<boolean> {
  return compare(deriveText(config), storedHash);
}

/** Returns the text to hash: a key derived for this purpose only, so the hash says nothing about the other keys. */
function deriveText(config: Config): string {
  return config.secrets.derive('secret-key-check').toString('base64');
}

/**
 * Detects a SECRET_KEY of another database. Beside the CONTEXT_KEY of this database nothing else would: all passwords
 * would be wrong, for no reason that anybody could see.
 */
@Injectable()
export class SecretKeyCheck {
  constructor(
    private readonly database: SystemDatabase,
    private readonly config: Config,
  ) {}

  /**
   * Compares SECRET_KEY with the hash in the database, which the first start stores, as gigvault_auth. Processes that
   * start first at once agree on one hash.
   * @throws ConfigError when the key belongs to another database
   */
  async verify(): Promise<void> {
    const stored = (await this.find()) ?? (await this.store());
    if (await matchesSecretKey(this.config, stored)) return;
    throw new ConfigError([
      'SECRET_KEY: the key belongs to another database, so all passwords of this one would be wrong: restore your ' +
        'copy, or replace the key for good by TRUNCATE secret_key_check (SECURITY.md)',
    ]);
  }

  /** Returns the stored hash, which is that of another process if that was faster. */
  private async store(): Promise<string> {
    const computed = await hash(deriveText(this.config), this.config.auth.passwordHashCost);
    await this.database.asAuth((unit) => unit.query('SELECT auth.put_secret_key_check($1)', [computed]));
    return (await this.find())!;
  }

  private async find(): Promise<string | undefined> {
    const [row] = await this.database.asAuth((unit) => unit.query<{ hash: string }>(FIND_SECRET_KEY_CHECK));
    return row?.hash;
  }
}

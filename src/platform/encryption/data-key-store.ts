import { Injectable } from '@nestjs/common';
import { SystemDatabase } from '../database/system-database';

/** A data key as it is stored. */
export interface WrappedDataKey {
  /** null: the key of what belongs to nobody. */
  readonly userId: number | null;
  readonly keyId: string;
  readonly wrappedKey: string;
}

const COLUMNS = `user_id AS "userId", key_id AS "keyId", wrapped_key AS "wrappedKey"`;

/**
 * Table data_keys, by the functions of schema auth: secrets are opened before anybody is signed in (a second factor) and
 * for nobody (letters), so the tenant's gate does not serve. Each method is a transaction of its own.
 */
@Injectable()
export class DataKeyStore {
  constructor(private readonly database: SystemDatabase) {}

  ofUser(userId: number | null): Promise<WrappedDataKey | undefined> {
    return this.first(`SELECT ${COLUMNS} FROM auth.data_key_of($1)`, [userId]);
  }

  find(keyId: string): Promise<WrappedDataKey | undefined> {
    return this.first(`SELECT ${COLUMNS} FROM auth.find_data_key($1)`, [keyId]);
  }

  /** Stores a new key unless the user has one, and returns the one he has. */
  async put({ userId, keyId, wrappedKey }: WrappedDataKey): Promise<WrappedDataKey> {
    await this.database.asAuth((unit) =>
      unit.query(`SELECT auth.put_data_key($1, $2, $3)`, [userId, keyId, wrappedKey]),
    );
    return (await this.ofUser(userId))!;
  }

  /** Destroys the user's key; false when he has none. */
  async destroy(userId: number): Promise<boolean> {
    const [row] = await this.database.asAuth((unit) =>
      unit.query<{ destroyed: boolean }>(`SELECT auth.destroy_data_key($1) AS destroyed`, [userId]),
    );
    return row?.destroyed ?? false;
  }

  private async first(sql: string, values: readonly unknown[]): Promise<WrappedDataKey | undefined> {
    const [row] = await this.database.asAuth((unit) =>
      unit.query<{ userId: number | null; keyId: string; wrappedKey: string }>(sql, values),
    );
    return row;
  }
}

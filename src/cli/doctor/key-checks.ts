import type { Client } from 'pg';
import { LOGINS, withClient } from '../../local-services/database-setup';
import type { Config } from '../../platform/config/config';
import { ContextSigner } from '../../platform/database/context-signer';
import { findLoginUrl } from '../../platform/database/driver/primary-host';
import { isContextKeyKnown, type ParameterizedQuery } from '../../platform/database/schema/context-check';
import { EncryptionError } from '../../platform/encryption/ciphertext';
import { associatedData } from '../../platform/encryption/data-keys';
import { KeyServiceUnavailable } from '../../platform/encryption/kms/key-service';
import { createMasterKeys } from '../../platform/encryption/kms/kms-master-keys';
import { FIND_SECRET_KEY_CHECK, matchesSecretKey } from '../../platform/encryption/secret-key-check';
import { type Finding, ok, problem } from './finding';
import { buildCopyCure } from './settings-checks';

/**
 * Checks that the database verifies what the servers sign.
 * @param isStopped true for the embedded database whose next start stores the key
 */
export async function checkContextKey(client: Client, { contextKey }: Config, isStopped: boolean): Promise<Finding> {
  const query: ParameterizedQuery = async (sql, values) =>
    (await client.query<Record<string, unknown>>(sql, values)).rows;
  if (await isContextKeyKnown(query, contextKey)) return ok('context key', 'verifies the contexts of the servers');
  if (isStopped) return ok('context key', 'not stored yet; the next npm start stores it');
  const detail = 'the database does not know the key of CONTEXT_KEY or SECRET_KEY, so no server starts';
  return problem('context key', detail, 'npm run migrate with the settings of the servers');
}

interface StoredKey {
  readonly userId: string | null;
  readonly keyId: string;
  readonly wrappedKey: string;
}

/** Signs a session of the login. Returns whether the database knows the key. */
async function signIn(client: Client, config: Config, login: string): Promise<boolean> {
  const context = new ContextSigner(config.contextKey, login).sign([]);
  await client.query(`SELECT set_config('app.context', $1, false)`, [context]);
  const { rows } = await client.query('SELECT FROM auth.context');
  return rows.length > 0;
}

/**
 * Compares SECRET_KEY with the hash that the first start stored. Returns no finding when the database does not know the
 * context key, which is a finding of its own.
 */
export async function checkSecretKey(config: Config): Promise<Finding[]> {
  const rows = await withClient(await findLoginUrl(config, 'auth'), async (client) => {
    if (!(await signIn(client, config, LOGINS.auth))) return undefined;
    return (await client.query<{ hash: string }>(FIND_SECRET_KEY_CHECK)).rows;
  });
  if (!rows) return [];
  const [row] = rows;
  if (!row) return [ok('secret key', 'not used yet; the first start stores a hash of it')];
  if (await matchesSecretKey(config, row.hash)) return [ok('secret key', 'belongs to this database')];
  const detail = 'SECRET_KEY belongs to another database, so all passwords would be wrong and no server starts';
  return [problem('secret key', detail, 'set SECRET_KEY of this database, or replace it for good as in SECURITY.md')];
}

/**
 * Unwraps one data key: keys of another installation have the same ids. Returns no finding when the database does not
 * know the context key, which is a finding of its own.
 */
export async function checkKeys(config: Config): Promise<Finding[]> {
  const rows = await withClient(await findLoginUrl(config, 'worker'), async (client) => {
    if (!(await signIn(client, config, LOGINS.worker))) return undefined;
    const found = await client.query<StoredKey>(
      `SELECT user_id AS "userId", key_id AS "keyId", wrapped_key AS "wrappedKey"
       FROM app.data_keys_to_rewrap('', 0, 1)`,
    );
    return found.rows;
  });
  if (!rows) return [];
  const [row] = rows;
  return [row ? await checkKey(config, row) : ok('keys', 'no secret is stored yet')];
}

async function checkKey(config: Config, row: StoredKey): Promise<Finding> {
  const userId = row.userId === null ? null : Number(row.userId);
  try {
    await createMasterKeys(config).unwrap(row.wrappedKey, associatedData({ userId, keyId: row.keyId }));
    return ok('keys', 'decrypt the secrets of this database');
  } catch (error) {
    if (error instanceof KeyServiceUnavailable)
      return problem('keys', error.reason, 'start the key management service, or correct VAULT_… or AWS_KMS_…');
    if (!(error instanceof EncryptionError)) throw error;
    const { keyFile } = config.encryption;
    return problem(
      'keys',
      `${keyFile ?? 'ENCRYPTION_KEYS'} belongs to another database: ${error.message}`,
      keyFile === undefined ? 'set ENCRYPTION_KEYS of this database' : buildCopyCure(keyFile),
    );
  }
}

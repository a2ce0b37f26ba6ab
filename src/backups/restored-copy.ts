import { createHash } from 'node:crypto';
import type { DirectConnection } from '../platform/database/direct-connection';
import { migrationNames } from '../platform/database/migrations';
import { checkCatalog } from '../platform/database/preconditions';
import { associatedData, type DataKey } from '../platform/encryption/data-keys';
import { EncryptionError } from '../platform/encryption/encryption-error';
import { openSealed } from '../platform/encryption/encryption.service';
import type { MasterKeys } from '../platform/encryption/master-keys';
import type { SealContext } from '../platform/encryption/seal-context';
import { differences, readDatabaseState } from './database-state';
import type { Manifest } from './manifest';

/** Where the canary of a backup is sealed. */
export function canaryPlace(sealKey: string): SealContext {
  return { table: 'backups', column: 'encrypted_canary', userId: null, sealKey };
}

/** What a canary is known by without being kept. */
export function canaryHash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

interface KeyRow {
  readonly userId: number | null;
  readonly keyId: string;
  readonly wrappedKey: string;
}

const KEYS = `SELECT user_id AS "userId", key_id AS "keyId", wrapped_key AS "wrappedKey" FROM public.data_keys`;
const KEY_BY_ID = `${KEYS} WHERE key_id = $1`;
const KEYS_OF_USERS = `${KEYS} WHERE user_id = ANY ($1::bigint[])`;

/** Tables the app reads, with the column that names the tenant: how many rows it sees of this tenant and of others. */
const SEEN = `
  SELECT format('%I.%I', n.nspname, c.relname) AS name,
    format('SELECT count(*) FILTER (WHERE t.%1$I = $1) AS own, count(*) FILTER (WHERE t.%1$I IS DISTINCT FROM $1) AS others FROM %2$I.%3$I t',
      tenant.attname, n.nspname, c.relname) AS statement
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute tenant ON tenant.attrelid = c.oid AND NOT tenant.attisdropped
    AND tenant.attname = CASE WHEN n.nspname = 'public' AND c.relname = 'users' THEN 'id' ELSE 'user_id' END
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^pg_'
    AND has_schema_privilege('gigvault_app', n.oid, 'USAGE')
    AND has_column_privilege('gigvault_app', c.oid, tenant.attnum, 'SELECT') ORDER BY 1`;

interface Seen {
  readonly own: number;
  readonly others: number;
}

/**
 * Compares a restored copy with what was read at the instant of the dump, opens a sealed text in it, and sees whether its
 * tenants are parted. One sentence for each fault; empty when it is as good as the original.
 * @param connection of a superuser of the copy
 */
export async function faultsOf(
  connection: DirectConnection,
  manifest: Manifest,
  masterKeys: MasterKeys,
): Promise<string[]> {
  await connection.query('BEGIN READ ONLY');
  const found = await readDatabaseState(connection, manifest.sampledUsers);
  await connection.query('COMMIT');
  const faults = differences(manifest, found);
  // Where tables are missing, all that follows would only say so again.
  if (faults.length > 0) return faults;
  return [
    ...(await sealFaults(connection, manifest, masterKeys)),
    ...(await catalogFaults(connection, manifest)),
    ...(await tenantFaults(connection, manifest)),
  ];
}

async function sealFaults(
  connection: DirectConnection,
  { backupId, canaryHash: expected, sampledUsers }: Manifest,
  masterKeys: MasterKeys,
): Promise<string[]> {
  const keyOf = async (row: KeyRow | undefined): Promise<DataKey> => {
    if (!row) throw new EncryptionError('its data key is missing');
    return { ...row, key: await masterKeys.unwrap(row.wrappedKey, associatedData(row)) };
  };
  try {
    const [row] = await connection.query<{ sealKey: string; sealed: string }>(
      `SELECT seal_key AS "sealKey", encrypted_canary AS sealed FROM public.backups WHERE id = $1 AND seal_key IS NOT NULL AND encrypted_canary IS NOT NULL`,
      [backupId],
    );
    if (!row) return ['the text sealed for the check is missing'];
    const text = await openSealed(row.sealed, canaryPlace(row.sealKey), async (keyId) => {
      const [key] = await connection.query<KeyRow>(KEY_BY_ID, [keyId]);
      return keyOf(key);
    });
    if (canaryHash(text) !== expected) return ['the text sealed for the check is another one'];
    for (const key of await connection.query<KeyRow>(KEYS_OF_USERS, [sampledUsers])) await keyOf(key);
    return [];
  } catch (error) {
    if (error instanceof EncryptionError) return [`sealed values do not open: ${error.message}`];
    throw error;
  }
}

/** The rules are those of this release: what an older one made is brought up to it first. */
async function catalogFaults(connection: DirectConnection, { migrations }: Manifest): Promise<string[]> {
  const known = migrationNames();
  const unknown = migrations.filter((name) => !known.includes(name));
  if (unknown.length > 0) return [`made by another version of Gigvault, with the migrations ${unknown.join(', ')}`];
  if (migrations.length < known.length) return [];
  return asApp(connection, null, () => checkCatalog((sql) => connection.query(sql), known));
}

/** As the app's login: each tenant sees all his rows and nobody else's, and nobody sees nothing. */
async function tenantFaults(connection: DirectConnection, { sampledUsers }: Manifest): Promise<string[]> {
  const tables = await connection.query<{ name: string; statement: string }>(SEEN);
  const tenants = [sampledUsers[0], sampledUsers.at(-1)].filter((id) => id !== undefined);
  const faults: string[] = [];
  for (const tenant of [...new Set(tenants), null]) {
    for (const { name, statement } of tables) {
      const [all] = await connection.query<Seen>(statement, [tenant]);
      const [seen] = await asApp(connection, tenant, () => connection.query<Seen>(statement, [tenant]));
      if (!all || !seen) throw new Error('count(*) answered no row');
      if (seen.others > 0 || (tenant === null && seen.own > 0))
        faults.push(`table ${name} shows rows of other tenants`);
      else if (tenant !== null && seen.own < all.own) faults.push(`table ${name} hides rows of their tenant`);
    }
  }
  return [...new Set(faults)];
}

async function asApp<T>(connection: DirectConnection, tenant: number | null, work: () => Promise<T>): Promise<T> {
  await connection.query('BEGIN READ ONLY');
  await connection.query(`SELECT set_config('role', 'gigvault_app', true), set_config('app.user_id', $1, true)`, [
    tenant === null ? '' : String(tenant),
  ]);
  const result = await work();
  await connection.query('COMMIT');
  return result;
}

/** Chunk size of a file's sealed part; each chunk has this many bytes and a tag. */
const SEALED_CHUNK = 64 * 1_024 + 16;

/** A damaged backup and how it was damaged. */
export type Mutation =
  /** The file has other bytes and their checksum, as if it had been written that way. */
  | { readonly name: string; readonly bytes: (file: Buffer) => Buffer }
  /** A copy of the database is changed before the dump; the manifest is the original's or the copy's. */
  | { readonly name: string; readonly sql: string; readonly manifest: 'original' | 'own' }
  /** The archive is another one, with the original's manifest. */
  | { readonly name: string; readonly archive: 'nothing' | 'empty database' | 'schema only' | 'as the app' }
  /** The keys differ during the check. */
  | { readonly name: string; readonly keys: 'none of these' | 'another of this id' };

/** Returns the offset of a file's sealed part: after magic, length and header. */
function bodyOf(file: Buffer): number {
  const magic = file.indexOf('\n') + 1;
  return magic + 4 + file.readUInt32BE(magic);
}

function flipByte(place: (file: Buffer) => number): (file: Buffer) => Buffer {
  return (file) => {
    const copy = Buffer.from(file);
    copy[place(file)]! ^= 1;
    return copy;
  };
}

/** Rearranges the sealed chunks of a file. */
function rearrangeChunks(change: (chunks: Buffer[]) => Buffer[]): (file: Buffer) => Buffer {
  return (file) => {
    const begin = bodyOf(file);
    const chunks: Buffer[] = [];
    for (let at = begin; at < file.length; at += SEALED_CHUNK) chunks.push(file.subarray(at, at + SEALED_CHUNK));
    return Buffer.concat([file.subarray(0, begin), ...change(chunks)]);
  };
}

const FLIPS: readonly Mutation[] = [
  { name: 'a byte of the magic flipped', bytes: flipByte(() => 3) },
  { name: 'a byte of the length of the header flipped', bytes: flipByte((file) => file.indexOf('\n') + 1) },
  { name: 'a byte of the name in the header flipped', bytes: flipByte((file) => file.indexOf('gigvault-') + 12) },
  { name: 'a byte of the time in the header flipped', bytes: flipByte((file) => file.indexOf('takenAt') + 14) },
  { name: 'a byte of the wrapped key flipped', bytes: flipByte((file) => file.indexOf('wrappedKey') + 60) },
  { name: 'the first sealed byte flipped', bytes: flipByte(bodyOf) },
  { name: 'a byte of the first tag flipped', bytes: flipByte((file) => bodyOf(file) + SEALED_CHUNK - 1) },
  { name: 'the last byte flipped', bytes: flipByte((file) => file.length - 1) },
  ...[0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95].map((part) => ({
    name: `a byte at ${part * 100} % flipped`,
    bytes: flipByte((file) => Math.floor(bodyOf(file) + (file.length - bodyOf(file)) * part)),
  })),
];

const CUTS: readonly Mutation[] = [
  { name: 'an empty file', bytes: () => Buffer.alloc(0) },
  { name: 'a file of nothing but its header', bytes: (file) => file.subarray(0, bodyOf(file)) },
  { name: 'the last byte missing', bytes: (file) => file.subarray(0, -1) },
  { name: 'half of it missing', bytes: (file) => file.subarray(0, file.length / 2) },
  { name: 'the last chunk missing', bytes: rearrangeChunks((chunks) => chunks.slice(0, -1)) },
  { name: 'a chunk missing in the middle', bytes: rearrangeChunks((chunks) => chunks.filter((_, i) => i !== 1)) },
  { name: 'two chunks exchanged', bytes: rearrangeChunks(([first, second, ...rest]) => [second!, first!, ...rest]) },
  { name: 'a chunk twice', bytes: rearrangeChunks(([first, ...rest]) => [first!, first!, ...rest]) },
  { name: 'bytes added behind', bytes: (file) => Buffer.concat([file, Buffer.from('more')]) },
];

const missing = (name: string, sql: string): Mutation => ({ name, sql, manifest: 'original' });

const ROWS: readonly Mutation[] = [
  missing('a job missing', 'DELETE FROM jobs WHERE id = (SELECT max(id) FROM jobs)'),
  missing('a user missing', 'DELETE FROM users WHERE id = (SELECT max(id) FROM users)'),
  missing('a proposal missing', 'DELETE FROM proposals WHERE id = (SELECT min(id) FROM proposals)'),
  missing('all messages missing', 'DELETE FROM messages'),
  missing('a row of the audit log missing', 'DELETE FROM audit_logs WHERE id = (SELECT max(id) FROM audit_logs)'),
  missing('a data key missing', 'DELETE FROM data_keys WHERE user_id = (SELECT max(user_id) FROM data_keys)'),
  missing(
    'a migration missing from the list',
    'DELETE FROM schema_migrations WHERE id = (SELECT min(id) FROM schema_migrations)',
  ),
  missing('a row of jobs changed', `UPDATE jobs SET title = title || '.' WHERE id = (SELECT min(id) FROM jobs)`),
  missing(
    'a job given to another tenant',
    'UPDATE jobs SET user_id = (SELECT max(id) FROM users) WHERE id = (SELECT min(id) FROM jobs)',
  ),
  missing('the row of the backup missing', 'DELETE FROM backups'),
];

const EMPTY: readonly Mutation[] = [
  { name: 'an archive of no bytes', archive: 'nothing' },
  { name: 'the archive of an empty database', archive: 'empty database' },
  { name: 'a dump without data', archive: 'schema only' },
  { name: `a dump taken as the app's login`, archive: 'as the app' },
];

const KEYS: readonly Mutation[] = [
  { name: 'the master key is not there', keys: 'none of these' },
  { name: 'the master key of this name is another one', keys: 'another of this id' },
  {
    name: 'the data key of the sealed text is wrapped by an unknown key',
    sql: `UPDATE data_keys SET wrapped_key = replace(wrapped_key, 'w1.k1.', 'w1.k0.')`,
    manifest: 'own',
  },
  {
    name: 'the sealed text is damaged',
    sql: `UPDATE backups SET encrypted_canary = left(encrypted_canary, -2) || 'AA'`,
    manifest: 'own',
  },
];

const SCHEMA: readonly Mutation[] = [
  {
    name: 'the schema of before the last migration, under the manifest of now',
    sql: 'last migration undone',
    manifest: 'original',
  },
  { name: 'the schema of before the last migration', sql: 'last migration undone', manifest: 'own' },
  missing('a table of the schema missing', 'DROP TABLE messages CASCADE'),
  missing('an index missing', 'DROP INDEX idx_jobs_status'),
  { name: 'row security switched off', sql: 'ALTER TABLE jobs DISABLE ROW LEVEL SECURITY', manifest: 'own' },
  {
    name: 'a policy that shows all rows to all',
    sql: `DROP POLICY jobs_own_data_select ON jobs;
      CREATE POLICY jobs_own_data_select ON jobs FOR SELECT USING (true OR auth.uid() IS NULL)`,
    manifest: 'own',
  },
  {
    name: 'a policy that shows no rows',
    sql: `DROP POLICY jobs_own_data_select ON jobs;
      CREATE POLICY jobs_own_data_select ON jobs FOR SELECT USING (false AND user_id = auth.uid())`,
    manifest: 'own',
  },
  { name: 'an audit trigger missing', sql: 'DROP TRIGGER audit_update ON proposals', manifest: 'own' },
];

/** Fifty ways to damage a backup, of six kinds. */
export const MUTATIONS: Readonly<Record<string, readonly Mutation[]>> = {
  flipped: FLIPS,
  cut: CUTS,
  rows: ROWS,
  empty: EMPTY,
  keys: KEYS,
  schema: SCHEMA,
};

import { type NoteSigner, parseNote } from '../../../src/audit/seals/signed-note';

/** What the owner of the database can do, who does not have the signing key. */
export interface Owner {
  query<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Signs with a key of their own. */
  readonly signer: NoteSigner;
  /** Seals all rows with that key. */
  reseal(): Promise<void>;
}

/** A change of the logs or of their seals. */
export interface Attack {
  readonly name: string;
  /** @param target id of the row or number of the seal */
  readonly run: (owner: Owner, target: number) => Promise<unknown>;
  /** Returns the place at which it must be found, or its beginning; by default the row or the seal. */
  readonly place?: (target: number) => string;
  /** For seals: it changes what is found at no other seal, so others can be verified with it. */
  readonly isIndependent?: boolean;
}

function update(column: string, value: string): Attack {
  return {
    name: `update of ${column}`,
    run: ({ query }, id) => query(`UPDATE audit_logs SET ${column} = ${value} WHERE id = $1`, [id]),
  };
}

/** Changes of single rows. */
export const ROW_ATTACKS: readonly Attack[] = [
  update('new_values', `new_values || '{"title": "another"}'`),
  update('old_values', `'{}'`),
  update('reason', `'a reason'`),
  update('ip_address', `'198.51.100.1'`),
  update('ip_address', 'NULL'),
  update('actor_id', 'actor_id + 1'),
  update('user_id', 'NULL'),
  update('table_name', `'proposals'`),
  update('record_id', 'record_id + 1'),
  update('action', `'DELETE'`),
  update('operation', 'NULL'),
  update('request_id', `'another'`),
  update('created_at', `created_at - interval '1 second'`),
  update('transaction_id', `'3'`),
  update('values_salt', 'uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())'),
  {
    name: 'bytes moved from the address to the salt',
    run: ({ query }, id) =>
      query(`UPDATE audit_logs SET values_salt = values_salt || '1'::bytea, ip_address = '92.0.2.1' WHERE id = $1`, [
        id,
      ]),
  },
  {
    name: 'bytes moved from the values to the address',
    run: ({ query }, id) =>
      query(
        `UPDATE audit_logs a SET address_hash = audit.values_hash(a) || audit.address_hash(a), values_salt = NULL,
           ip_address = NULL, new_values = '{}' WHERE id = $1`,
        [id],
      ),
  },
  update('id', 'DEFAULT'),
  { name: 'delete', run: ({ query }, id) => query('DELETE FROM audit_logs WHERE id = $1', [id]) },
  {
    name: 'swap',
    run: ({ query }, id) =>
      query(
        `UPDATE audit_logs a SET new_values = b.new_values, old_values = b.old_values, values_salt = b.values_salt
         FROM audit_logs b WHERE a.id IN ($1::bigint, $1 + 1) AND b.id = 2 * $1::bigint + 1 - a.id`,
        [id],
      ),
  },
  {
    name: 'insert into the past',
    run: ({ query }, id) =>
      query(
        `INSERT INTO audit_logs (id, user_id, table_name, record_id, action, new_values, created_at)
         OVERRIDING SYSTEM VALUE SELECT -id, user_id, table_name, record_id, action, new_values, created_at
         FROM audit_logs WHERE id = $1`,
        [id],
      ),
    place: (id) => `audit_logs ${-id}`,
  },
  {
    name: 'insert with the same id',
    run: ({ query }, id) =>
      query(
        `INSERT INTO audit_logs (id, user_id, table_name, record_id, action, new_values, created_at)
         OVERRIDING SYSTEM VALUE SELECT id, user_id, table_name, record_id, action, '{}', created_at - interval '1 hour'
         FROM audit_logs WHERE id = $1`,
        [id],
      ),
  },
  {
    name: 'erasure without a request',
    run: ({ query }, id) =>
      query(
        `UPDATE audit_logs a SET values_hash = audit.values_hash(a), address_hash = audit.address_hash(a),
           old_values = NULL, new_values = NULL, reason = NULL, ip_address = NULL, values_salt = NULL WHERE id = $1`,
        [id],
      ),
  },
  {
    name: 'values beside their hash',
    run: ({ query }, id) =>
      query(`UPDATE audit_logs a SET values_hash = audit.values_hash(a), new_values = '{}' WHERE id = $1`, [id]),
  },
];

const DELETE_TAIL = `
  WITH cut AS (DELETE FROM audit.seals WHERE id = (SELECT max(id) FROM audit.seals) RETURNING *)
  DELETE FROM audit_logs a WHERE a.id > (SELECT max(audit_until) FROM audit.seals WHERE id < (SELECT id FROM cut))`;

function flipBit(column: string, position: string): string {
  return `UPDATE audit.seals SET ${column} = set_bit(${column}, ${position}, 1 - get_bit(${column}, ${position}))
    WHERE id = $1`;
}

/** Changes of seals, and of rows together with their seals. */
export const SEAL_ATTACKS: readonly Attack[] = [
  { name: 'cut tail', run: ({ query }) => query(DELETE_TAIL), place: () => 'head of ' },
  {
    name: 're-chained tail',
    run: async ({ query, reseal }) => {
      await query('DELETE FROM audit.seals WHERE id = (SELECT max(id) FROM audit.seals)');
      await query(`UPDATE audit_logs SET operation = 'another' WHERE id = (SELECT max(id) FROM audit_logs)`);
      await reseal();
    },
    place: () => 'head of ',
  },
  { name: 'altered entries', run: ({ query }, id) => query(flipBit('entries', '200'), [id]) },
  { name: 'altered root', run: ({ query }, id) => query(flipBit('root_hash', '9'), [id]), isIndependent: true },
  {
    name: 'altered head',
    run: ({ query }, id) =>
      query(
        `UPDATE audit.seals SET checkpoint = replace(checkpoint, E'\\n' || tree_size, E'\\n' || tree_size + 1)
        WHERE id = $1`,
        [id],
      ),
    isIndependent: true,
  },
  {
    name: 'altered size',
    run: ({ query }, id) => query('UPDATE audit.seals SET tree_size = tree_size + 1 WHERE id = $1', [id]),
    isIndependent: true,
  },
  {
    name: 'deleted seal',
    run: ({ query }, id) => query('DELETE FROM audit.seals WHERE id = $1', [id]),
    place: (id) => `seal ${id + 1}`,
  },
  {
    name: 'altered tile',
    run: ({ query }, id) =>
      query(
        `UPDATE audit.tiles SET hashes = set_bit(hashes, 5, 1 - get_bit(hashes, 5))
         WHERE level = 0 AND index = $1::bigint - 1`,
        [id],
      ),
    place: (id) => `tile 0/${id - 1}`,
    isIndependent: true,
  },
  {
    name: 'exchanged key',
    run: async ({ query, signer }) => {
      const seals = await query<{ id: number; checkpoint: string }>('SELECT id, checkpoint FROM audit.seals');
      for (const { id, checkpoint } of seals)
        await query('UPDATE audit.seals SET checkpoint = $2, verifier_key = $3 WHERE id = $1', [
          id,
          signer.sign(parseNote(checkpoint)!.text),
          signer.verifier.text,
        ]);
    },
    place: () => 'seal ',
  },
];

import { Client } from 'pg';
import { AuditSealer } from '../../src/audit/seals/audit-sealer';
import { NoteSigner } from '../../src/audit/seals/signed-note';
import { pgTypes } from '../../src/platform/database/driver/direct-connection';
import { RolePools } from '../../src/platform/database/driver/role-pools';
import { SystemDatabase } from '../../src/platform/database/system-database';
import { setTenant } from '../support/signed-context';
import { createTestDatabase, type TestDatabase } from '../support/test-database';
import { buildTestConfig } from '../support/test-config';
import { testServices } from '../support/test-services';
import { hashEntry, hashTree, readCheckpoint } from '../support/tree-proofs';
import { waitFor } from '../support/wait-for';

const ENTRY_BYTES = 49;
const ORIGIN = 'gigvault.example.org/audit';
const SEED = Buffer.alloc(32, 7);

interface StoredSeal {
  readonly treeSize: number;
  readonly entries: Buffer;
  readonly checkpoint: string;
  readonly verifierKey: string;
}

describe('the seals of the logs', () => {
  let db: TestDatabase;
  let pools: RolePools;
  let sealer: AuditSealer;
  let user: number;

  beforeAll(async () => {
    db = await createTestDatabase();
    const config = buildTestConfig({ DATABASE_WORKER_URL: db.urls.worker, CONTEXT_KEY: testServices().contextKey });
    pools = new RolePools(config);
    sealer = new AuditSealer(new SystemDatabase(pools, config), (origin) => new NoteSigner(origin ?? ORIGIN, SEED));
    user = await createUser('ann');
  });
  afterAll(async () => {
    await pools.onApplicationShutdown();
    await db.end();
  });

  async function createUser(name: string): Promise<number> {
    const sql = `INSERT INTO users (email, encrypted_password) VALUES ($1 || '@example.com', 'none') RETURNING id`;
    return (await db.query<{ id: number }>('superuser', sql, [name]))[0]!.id;
  }

  async function sealAll(): Promise<number> {
    let rows = 0;
    for (let sealed = 1; sealed > 0; rows += sealed) sealed = await sealer.sealNext();
    return rows;
  }

  function readSeals(): Promise<StoredSeal[]> {
    const sql = `SELECT tree_size AS "treeSize", entries, checkpoint, verifier_key AS "verifierKey"
      FROM audit.seals ORDER BY id`;
    return db.query<StoredSeal>('superuser', sql);
  }

  /** Returns log and id of each sealed row, in the order of the tree. */
  async function listSealed(): Promise<string[]> {
    const entries = Buffer.concat((await readSeals()).map((seal) => seal.entries));
    return Array.from({ length: entries.length / ENTRY_BYTES }, (_, i) => {
      const entry = entries.subarray(i * ENTRY_BYTES);
      return `${String.fromCharCode(entry[0]!)}${entry.readBigInt64BE(1)}`;
    });
  }

  async function listStored(): Promise<string[]> {
    const sql = `SELECT 'a' || id AS name FROM audit_logs UNION ALL SELECT 's' || id FROM security_logs`;
    return (await db.query<{ name: string }>('superuser', sql)).map(({ name }) => name);
  }

  async function expectAllSealedOnce(): Promise<void> {
    expect((await listSealed()).sort()).toEqual((await listStored()).sort());
  }

  /** Opens a transaction that has written an audit row. */
  async function openWriter(title: string): Promise<Client> {
    const client = new Client({ connectionString: db.urls.superuser, types: pgTypes });
    await client.connect();
    await client.query('BEGIN');
    await writeRow(client, title);
    return client;
  }

  const writeRow = (client: Client, title: string): Promise<unknown> =>
    client.query(`INSERT INTO templates (user_id, name, body, generation_type) VALUES ($1, $2, $2, 'message')`, [
      user,
      title,
    ]);

  async function end(client: Client, how: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    await client.query(how);
    await client.end();
  }

  it('cover each committed row once, under a signed head that others can verify', async () => {
    await db.query('superuser', `SELECT auth.log_event('test.event', $1, true, '192.0.2.1', 'curl', '{"a": 1}')`, [
      user,
    ]);
    const first = await sealAll();
    await createUser('ben');
    const second = await sealAll();

    expect(first).toBeGreaterThan(0);
    expect(second).toBeGreaterThan(0);
    expect(await sealAll()).toBe(0);
    await expectAllSealedOnce();
    const seals = await readSeals();
    const entries = Buffer.concat(seals.map((seal) => seal.entries));
    const leaves = Array.from({ length: entries.length / ENTRY_BYTES }, (_, i) =>
      hashEntry(entries.subarray(i * ENTRY_BYTES, (i + 1) * ENTRY_BYTES)),
    );
    for (const { treeSize, checkpoint, verifierKey } of seals) {
      const root = hashTree(leaves.slice(0, treeSize)).toString('base64');
      expect(readCheckpoint(checkpoint, verifierKey)).toEqual({ origin: ORIGIN, size: treeSize, root });
    }
  });

  it('cover rows that commit later than rows with larger ids, and none of a rollback', async () => {
    const slow = await openWriter('slow');
    const undone = await openWriter('undone');
    const quick = await openWriter('quick');
    await end(quick, 'COMMIT');
    for (let i = 0; i < 3; i += 1) {
      await sealAll();
      await writeRow(slow, `slow ${i}`);
      await createUser(`during-${i}`);
    }
    await end(undone, 'ROLLBACK');
    await sealAll();
    await end(slow, 'COMMIT');
    await sealAll();
    await createUser('afterwards');
    await sealAll();
    await sealAll();

    await expectAllSealedOnce();
  });

  it('raise the floor to the rows of the seal before, once the transactions of that time have ended', async () => {
    const sql = 'SELECT audit_floor AS floor, audit_until AS until FROM audit.seals ORDER BY id DESC LIMIT 2';
    let number = 0;
    // Transactions in other databases of the cluster count too.
    await waitFor('the floor rises', async () => {
      await createUser(`floor-${(number += 1)}`);
      await sealAll();
      const [last, before] = await db.query<{ floor: number; until: number }>('superuser', sql);
      return last!.floor === before?.until;
    });
  });

  it('cover the rows after a gap of ids, as a large import that was rolled back leaves it', async () => {
    await sealAll();
    await db.query('superuser', `SELECT setval(pg_get_serial_sequence('audit_logs', 'id'), 5000000)`);
    await createUser('gap');

    expect(await sealAll()).toBe(1);
    await expectAllSealedOnce();
  });

  it('cover each row once when several processes seal at the same time, beside writers', async () => {
    let isWriting = true;
    const write = async (name: string): Promise<void> => {
      for (let i = 0; i < 40; i += 1) {
        const client = await openWriter(`${name} ${i}`);
        if (i % 3 === 0) await writeRow(client, `${name} ${i} again`);
        await end(client, i % 5 === 0 ? 'ROLLBACK' : 'COMMIT');
      }
    };
    const seal = async (): Promise<void> => {
      while (isWriting) await sealer.sealNext().catch((error: Error) => expect(error.message).toContain('seals_pkey'));
    };
    const sealers = [seal(), seal(), seal()];
    await Promise.all(['f', 'g', 'h', 'i'].map(write));
    isWriting = false;
    await Promise.all(sealers);
    await sealAll();

    await expectAllSealedOnce();
  });

  it('are found for a row that committed more than a thousand seals after its neighbours', async () => {
    const slow = await openWriter('very slow');
    await createUser('neighbour');
    await sealAll();
    await db.query(
      'superuser',
      `INSERT INTO audit.seals (id, tree_size, root_hash, audit_floor, security_floor, audit_until, security_until,
         entries, checkpoint, verifier_key)
       SELECT s.id + n, tree_size, root_hash, audit_floor, security_floor, audit_until, security_until, '',
         checkpoint, verifier_key
       FROM (SELECT * FROM audit.seals ORDER BY id DESC LIMIT 1) s, generate_series(1, 1001) n`,
    );
    await end(slow, 'COMMIT');
    await sealAll();

    const found = await db.transaction('app', async (client) => {
      await setTenant(client, user);
      const sql = `SELECT l.leaf_index AS index FROM audit_logs a, audit.find_leaf(a.id) l
        WHERE a.new_values ->> 'name' = 'very slow'`;
      return (await client.query(sql)).rows as unknown[];
    });
    expect(found).toEqual([{ index: expect.any(Number) }]);
  });

  it('stay valid when the values of a user are erased', async () => {
    const erased = await createUser('erased');
    await db.query('superuser', `SELECT auth.log_event('test.event', $1, true, '192.0.2.1', 'curl', '{"a": 1}')`, [
      erased,
    ]);
    await sealAll();
    const listEntries = async (): Promise<(Buffer | null)[]> => {
      const sql = `SELECT audit.audit_entry(a) AS entry FROM audit_logs a UNION ALL
        SELECT audit.security_entry(s) FROM security_logs s WHERE event_type = 'test.event'`;
      return (await db.query<{ entry: Buffer | null }>('superuser', sql)).map(({ entry }) => entry);
    };
    const before = await listEntries();
    await db.query('superuser', 'SELECT audit.erase_user($1, NULL, true)', [erased]);

    const [row] = await db.query<Record<string, unknown>>(
      'superuser',
      'SELECT new_values, values_salt, ip_address FROM audit_logs WHERE user_id = $1 LIMIT 1',
      [erased],
    );
    expect(row).toEqual({ new_values: null, values_salt: null, ip_address: null });
    expect(await listEntries()).toEqual(before);
    expect(before).not.toContain(null);
  });
});

import { Client } from 'pg';
import { pgTypes } from '../../src/platform/database/driver/direct-connection';
import { waitFor } from '../support/wait-for';
import { insertJob } from '../support/factories/job.factory';
import { createTestDatabase, type TestDatabase } from '../support/test-database';

interface Position {
  readonly floor: number;
}

describe('audit.changes_since()', () => {
  let db: TestDatabase;
  const tenants: number[] = [];
  const jobs: number[] = [];

  beforeAll(async () => {
    db = await createTestDatabase();
    for (let i = 0; i < 4; i++) {
      const [user] = await db.query<{ id: number }>(
        'superuser',
        `INSERT INTO users (email, encrypted_password) VALUES ('u' || $1 || '@example.com', 'none') RETURNING id`,
        [i],
      );
      tenants.push(user!.id);
      jobs.push(await insertJob(db, user!.id));
    }
  });
  afterAll(() => db.end());

  const poll = async (since: Position | null): Promise<[position: Position, changes: [number, string][]]> => {
    const [answer] = await db.query<{ position: Position; changes: [number, string][] }>(
      'monitor',
      'SELECT * FROM audit.changes_since($1)',
      [since],
    );
    return [answer!.position, answer!.changes];
  };

  const change = (tenant: number, title: string): Promise<unknown> =>
    db.query('superuser', 'UPDATE jobs SET title = $2 WHERE id = $1', [jobs[tenant], title]);

  /** Opens a separate session with an open transaction that already has a transaction id. */
  const open = async (): Promise<Client> => {
    const client = new Client({ connectionString: db.urls.superuser, types: pgTypes });
    await client.connect();
    await client.query('BEGIN; SELECT pg_current_xact_id()');
    return client;
  };

  const set = (client: Client, tenant: number, title: string): Promise<unknown> =>
    client.query('UPDATE jobs SET title = $2 WHERE id = $1', [jobs[tenant], title]);

  it('reports each change once per cursor', async () => {
    const [start, nothing] = await poll(null);
    await change(0, 'A');
    const [first, reported] = await poll(start);
    const [, reportedAgain] = await poll(first);
    const [, reportedToAnother] = await poll(start);

    expect(nothing).toEqual([]);
    expect(reported).toEqual([[tenants[0], expect.stringMatching(/^\d+$/)]]);
    expect(reportedAgain).toEqual([]);
    expect(reportedToAnother).toEqual(reported);
  });

  it.each([true, false])(
    'reports a transaction that began after another, wrote before it and ended after it (cursor from before: %s)',
    async (isCursorOlder) => {
      let [position] = await poll(null);
      const earlier = await open();
      const later = await open();
      await set(later, 1, `cursor from before: ${isCursorOlder}`);
      await set(earlier, 2, `cursor from before: ${isCursorOlder}`);
      await earlier.query('COMMIT');
      await earlier.end();
      if (!isCursorOlder) [position] = await poll(null);
      const reported: number[] = [];
      for (let i = 0; i < 4; i++) {
        const [next, changes] = await poll(position);
        position = next;
        reported.push(...changes.map(([tenant]) => tenant));
      }
      await later.query('COMMIT');
      await later.end();
      const [, changes] = await poll(position);

      expect(reported).toEqual(isCursorOlder ? [tenants[2]] : []);
      expect(changes.map(([tenant]) => tenant)).toEqual([tenants[1]]);
    },
  );

  it('reports every committed change once and no other, in any interleaving of transactions and polls', async () => {
    let [position] = await poll(null);
    const reported: string[] = [];
    const committed: string[] = [];
    const sessions = await Promise.all(tenants.map(() => open()));
    await Promise.all(sessions.map((session) => session.query('ROLLBACK')));
    const state = sessions.map(() => ({ isOpen: false, wrote: false }));
    let random = 20260101;
    const nextRandom = (n: number): number => (random = (random * 1_103_515_245 + 12_345) % 2 ** 31) % n;
    for (let step = 0; step < 400; step++) {
      const n = nextRandom(sessions.length);
      const [session, its] = [sessions[n]!, state[n]!];
      const action = nextRandom(7);
      if (action === 0) {
        const [next, changes] = await poll(position);
        position = next;
        reported.push(...changes.map(String));
      } else if (!its.isOpen) {
        await session.query('BEGIN');
        // With a transaction id from the start, or only from the first write.
        if (action > 3) await session.query('SELECT pg_current_xact_id()');
        Object.assign(its, { isOpen: true, wrote: false });
      } else if (action < 5) {
        // Each session has a separate tenant, so they never wait for each other.
        await set(session, n, `step ${step}`);
        its.wrote = true;
      } else {
        const { rows } = await session.query<{ id: string | null }>(
          'SELECT pg_current_xact_id_if_assigned()::text AS id',
        );
        await session.query(action === 5 ? 'COMMIT' : 'ROLLBACK');
        if (action === 5 && its.wrote) committed.push(String([tenants[n], rows[0]!.id]));
        its.isOpen = false;
      }
    }
    await Promise.all(sessions.map((session) => session.end()));
    const [newest] = await db.query<{ floor: number }>('superuser', 'SELECT max(id) AS floor FROM audit_logs');
    // Open transactions of other tests' databases keep the floor down.
    for (const late = Date.now() + 240_000; position.floor !== newest!.floor && Date.now() < late;) {
      const [next, changes] = await poll(position);
      position = next;
      reported.push(...changes.map(String));
    }

    expect(reported.toSorted()).toEqual(committed.toSorted());
    expect(committed.length).toBeGreaterThan(20);
    // Settled rows are not read again.
    expect(position.floor).toBe(newest!.floor);
  });

  it('reports both tenants when a row moves from one to the other', async () => {
    const [position] = await poll(null);
    const job = await insertJob(db, tenants[0]!);
    const [next] = await poll(position);
    await db.query('superuser', 'UPDATE jobs SET user_id = $2 WHERE id = $1', [job, tenants[1]]);
    const [, changes] = await poll(next);

    expect(changes.map(([tenant]) => tenant).toSorted()).toEqual([tenants[0], tenants[1]].toSorted());
  });

  it('reads new rows by the index, even of a long log', async () => {
    await db.query(
      'superuser',
      `INSERT INTO audit_logs (user_id, table_name, action) SELECT 1, 'jobs', 'INSERT' FROM generate_series(1, 20000)`,
    );
    await db.query('superuser', 'ANALYZE audit_logs');
    let [position] = await poll(null);
    // Transactions of other databases count too: the floor rises when the current ones have ended.
    await waitFor('the floor rises', async () => {
      [position] = await poll(position);
      return position.floor >= 20_000;
    });
    const plan = await db.transaction('superuser', async (client) => {
      await client.query(
        `LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on;
         SET auto_explain.log_analyze = on; SET client_min_messages = log`,
      );
      const notices: string[] = [];
      client.on('notice', ({ message }) => notices.push(message ?? ''));
      await client.query('SELECT * FROM audit.changes_since($1)', [position]);
      return notices.join('\n');
    });

    // This year's partition; the others are empty.
    expect(plan).toMatch(/Index Scan using audit_logs_\d+_pkey on audit_logs_\d+ a_1.*\n *Index Cond: \(id > /);
  });

  it('is available to gigvault_monitor only', async () => {
    for (const role of ['app', 'auth', 'worker', 'admin'] as const) {
      await expect(db.query(role, 'SELECT * FROM audit.changes_since(NULL)')).rejects.toMatchObject({ code: '42501' });
    }
  });
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogVerifier, type VerificationReport, type VerifyOptions } from '../../src/audit/seals/log-verifier';
import { SEAL_AUDIT_LOGS, VERIFY_AUDIT_LOGS } from '../../src/audit/seals/seal-audit-logs.task';
import { NoteVerifier } from '../../src/audit/seals/signed-note';
import { Config } from '../../src/platform/config/config';
import { RolePools } from '../../src/platform/database/driver/role-pools';
import { SystemDatabase } from '../../src/platform/database/system-database';
import type { ScheduledTask, Skipped, TaskContext, TaskResult } from '../../src/platform/scheduler/scheduled-task';
import { createTestDatabase, type TestDatabase } from '../support/test-database';
import { buildTestConfig } from '../support/test-config';
import { testServices } from '../support/test-services';
import { waitFor } from '../support/wait-for';

describe('the verification of the logs', () => {
  let db: TestDatabase;
  let pools: RolePools;
  let system: SystemDatabase;
  let config: Config;
  const folder = mkdtempSync(join(tmpdir(), 'gigvault-head-'));
  const headFile = join(folder, 'head.txt');

  beforeEach(async () => {
    db = await createTestDatabase();
    config = buildTestConfig({
      DATABASE_WORKER_URL: db.urls.worker,
      CONTEXT_KEY: testServices().contextKey,
      AUDIT_HEAD_FILE: headFile,
    });
    pools = new RolePools(config);
    system = new SystemDatabase(pools, config);
  });
  afterEach(async () => {
    rmSync(headFile, { force: true });
    await pools.onApplicationShutdown();
    await db.end();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const execute = (sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
    db.query('superuser', sql, values);

  async function createUser(name: string): Promise<number> {
    const sql = `INSERT INTO users (email, encrypted_password) VALUES ($1 || '@example.com', 'none') RETURNING id`;
    return (await db.query<{ id: number }>('superuser', sql, [name]))[0]!.id;
  }

  function run(task: ScheduledTask): Promise<TaskResult | Skipped> {
    const services = new Map<unknown, unknown>([
      [Config, config],
      [SystemDatabase, system],
    ]);
    const context: Partial<TaskContext> = {
      signal: new AbortController().signal,
      service: ((type: unknown) => services.get(type)) as TaskContext['service'],
    };
    return task.run(context as TaskContext);
  }

  const seal = (): Promise<TaskResult | Skipped> => run(SEAL_AUDIT_LOGS);

  /** Seals until the floors are above all rows that exist now: the transactions of that time must have ended. */
  async function sealUpToNow(): Promise<void> {
    const [last] = await execute(
      'SELECT (SELECT max(id) FROM audit_logs) AS audit, (SELECT max(id) FROM security_logs) AS security',
    );
    await waitFor('the floors rise', async () => {
      await execute(`SELECT auth.log_event('new.event', NULL, true, NULL, NULL, NULL)`);
      await seal();
      const [floors] = await execute(
        'SELECT audit_floor AS audit, security_floor AS security FROM audit.seals ORDER BY id DESC LIMIT 1',
      );
      return floors!['audit']! >= last!['audit']! && floors!['security']! >= last!['security']!;
    });
  }

  /** Verifies without the task. */
  async function verifyDirectly(
    options: VerifyOptions = {},
    beforeRead: () => Promise<unknown> = () => Promise.resolve(),
  ): Promise<VerificationReport> {
    const [key] = await execute('SELECT verifier_key AS text FROM audit.seals LIMIT 1');
    const keys = [NoteVerifier.parse(String(key!['text']))];
    const verifier = new LogVerifier(
      async (work) => {
        await beforeRead();
        return system.asScheduler(work);
      },
      { keys, heads: [] },
      options,
    );
    return verifier.verify();
  }

  const purge = async (): Promise<unknown> =>
    (await db.query('worker', 'SELECT app.purge_security_logs(30) AS deleted'))[0]!['deleted'];

  const verify = (): Promise<TaskResult | Skipped> => run(VERIFY_AUDIT_LOGS);

  it('has nothing to do before there are rows, and finds nothing in logs that nobody changed', async () => {
    await execute('DELETE FROM security_logs');
    expect(await verify()).toEqual({ skipped: 'no row is sealed yet' });
    await createUser('ann');
    expect(await seal()).toEqual({ rows: expect.any(Number), seals: 1 });
    expect(await seal()).toEqual({ skipped: 'all rows are sealed' });
    await createUser('ben');

    const { entries, rows, ...counts } = (await verify()) as TaskResult;
    expect(rows).toBe(entries);
    expect(counts).toEqual({ seals: 2, erased: 0, removed: 0, unsealed: 0, witnessed: 0 });
  });

  it('names the row that was changed', async () => {
    await createUser('ann');
    await seal();
    const [row] = await execute(`UPDATE audit_logs SET reason = 'another' RETURNING id`);

    await expect(verify()).rejects.toThrow(
      `the logs differ from their seals (1 times): audit_logs ${String(row!['id'])}: it was changed`,
    );
  });

  it('counts the rows of an erased user, and reports values that are gone without an erasure', async () => {
    const [ann, ben] = [await createUser('ann'), await createUser('ben')];
    await seal();
    await execute('SELECT audit.erase_user($1, NULL, false)', [ann]);
    await seal();
    expect(await verify()).toMatchObject({ erased: 1 });

    await execute(
      `UPDATE audit_logs a SET values_hash = audit.values_hash(a), new_values = NULL, values_salt = NULL
       WHERE user_id = $1`,
      [ben],
    );
    await expect(verify()).rejects.toThrow('gone without an erasure');
  });

  it('finds a tail that was cut with its seals, by the head in the file', async () => {
    await createUser('ann');
    await seal();
    const [older] = await execute('SELECT max(audit_until) AS until FROM audit.seals');
    await createUser('ben');
    await seal();
    const head = readFileSync(headFile, 'utf8');
    await execute('DELETE FROM audit.seals WHERE id = 2');
    await execute('DELETE FROM audit_logs WHERE id > $1', [older!['until']]);

    await expect(verify()).rejects.toThrow('the log was cut');
    await createUser('carl');
    await expect(seal()).rejects.toThrow(`move ${headFile} away`);
    // The new rows are sealed, and the evidence stays.
    expect(await execute('SELECT FROM audit.seals')).toHaveLength(2);
    expect(readFileSync(headFile, 'utf8')).toBe(head);
  });

  it('does not replace the head in the file by an older one that a seal was given', async () => {
    await createUser('ann');
    await seal();
    await createUser('ben');
    await seal();
    const head = readFileSync(headFile, 'utf8');
    await execute(
      `UPDATE audit.seals SET tree_size = o.tree_size, checkpoint = o.checkpoint FROM audit.seals o
       WHERE o.id = 1 AND seals.id = 2`,
    );

    await expect(seal()).rejects.toThrow('the log was cut');
    await execute(
      'UPDATE audit.seals SET tree_size = (SELECT tree_size + 1 FROM audit.seals WHERE id = 1) WHERE id = 2',
    );
    await expect(seal()).rejects.toThrow('the log was cut');
    expect(readFileSync(headFile, 'utf8')).toBe(head);
  });

  it('refuses a head that the key has not signed', async () => {
    await createUser('ann');
    await seal();
    writeFileSync(
      headFile,
      readFileSync(headFile, 'utf8')
        .replace('\n1\n', '\n2\n')
        .replace(/\n\d+\n/, '\n7\n'),
    );

    await expect(seal()).rejects.toThrow(`${headFile} is not signed by the key`);
    await expect(verify()).rejects.toThrow(`${headFile}: it is not signed by the key`);
  });

  it('knows the events that were removed because of their age, which are sealed before', async () => {
    const age = `UPDATE security_logs SET created_at = now() - interval '60 days' WHERE event_type = 'old.event'`;
    await execute(`SELECT auth.log_event('old.event', NULL, true, NULL, NULL, NULL)`);
    await execute(age);

    expect(await purge()).toBe(0);
    await sealUpToNow();
    expect(await purge()).toBe(1);
    expect(await verify()).toMatchObject({ removed: 1 });
  });

  it('knows an event that is removed while it runs', async () => {
    await execute(`SELECT auth.log_event('old.event', NULL, true, NULL, NULL, NULL)`);
    await execute(`UPDATE security_logs SET created_at = now() - interval '60 days' WHERE event_type = 'old.event'`);
    await sealUpToNow();
    let share = 0;
    let removed: unknown = 0;

    const report = await verifyDirectly(
      { seal, onProgress: (done) => (share = done) },
      // The rows are read after the seals, which are half of the work.
      async () => {
        if (share >= 0.5 && removed === 0) removed = await purge();
      },
    );

    expect(removed).toBe(1);
    expect(report).toMatchObject({ removed: 1, differences: 0, tampering: [] });
    expect(share).toBe(1);
  });

  it('knows a partition that was archived, which happens once each of its rows is sealed', async () => {
    const archive = (): Promise<unknown[]> => db.query('worker', 'SELECT app.archive_partitions(1)');
    await createUser('ann');
    expect(await seal()).toMatchObject({ seals: 1 });
    await execute(
      `INSERT INTO audit_logs (table_name, action, created_at) VALUES ('jobs', 'INSERT', '2019-05-01 00:00:00+00')`,
    );
    for (let i = 0; i < 2; i += 1) await db.query('worker', `SELECT app.drain_default_partition('audit_logs')`);

    expect(await archive()).toEqual([]);
    await sealUpToNow();
    expect(await archive()).toEqual([{ archive_partitions: 'audit_logs_2019' }]);
    expect(await verify()).toMatchObject({ removed: 1 });
  });

  it('compares only the rows of a range of times, whose seals are verified as a whole', async () => {
    const at = '2026-03-01T00:00:00Z';
    const [from, until] = [new Date(at), new Date('2026-04-01T00:00:00Z')];
    const [moved, before, inside] = (
      await execute(
        `INSERT INTO audit_logs (table_name, action, created_at)
         VALUES ('a', 'INSERT', $1), ('b', 'INSERT', $1::timestamptz - interval '1 second'), ('c', 'INSERT', $1)
         RETURNING id`,
        [at],
      )
    ).map(({ id }) => Number(id));
    await seal();
    expect(await verifyDirectly({ from, until })).toMatchObject({ rows: 2, differences: 0 });

    await execute(`UPDATE audit_logs SET operation = 'another' WHERE id = $1`, [before]);
    expect(await verifyDirectly({ from, until })).toMatchObject({ rows: 2, differences: 0 });
    expect(await verifyDirectly({ until: from })).toMatchObject({ rows: 1, differences: 1 });

    await execute('UPDATE audit_logs SET created_at = $2 WHERE id = $1', [before, at]);
    await execute('UPDATE audit_logs SET created_at = $2 WHERE id = $1', [moved, until]);
    await execute(`UPDATE audit_logs SET reason = 'another' WHERE id = $1`, [inside]);
    const { tampering } = await verifyDirectly({ from, until });
    expect(tampering).toEqual([
      { place: `audit_logs ${before}`, problem: 'its time was changed' },
      { place: `audit_logs ${inside}`, problem: 'it was changed' },
      { place: `audit_logs ${moved}`, problem: 'it was deleted, or its time was changed' },
    ]);
  });

  it('counts all differences, and names the first thousand', async () => {
    await execute(`INSERT INTO audit_logs (table_name, action) SELECT 'jobs', 'INSERT' FROM generate_series(1, 1100)`);
    await seal();
    await execute(`UPDATE audit_logs SET action = 'DELETE'`);

    const { differences, tampering } = await verifyDirectly();
    expect(differences).toBe(1_100);
    expect(tampering).toHaveLength(1_000);
  });

  it('ends with the reason of its signal', async () => {
    await createUser('ann');
    await seal();

    await expect(verifyDirectly({ signal: AbortSignal.abort(new Error('stopped')) })).rejects.toThrow('stopped');
  });

  it('counts an erased event without a user only when the erasure names it', async () => {
    const log = (hash: string): Promise<unknown> =>
      execute(`SELECT auth.log_event('auth.login', NULL, false, '192.0.2.1', NULL, $1)`, [{ emailHash: hash }]);
    const ann = await createUser('ann');
    await log('0a');
    await log('0b');
    await seal();
    await execute(`SELECT audit.erase_user($1, '\\x0a', false)`, [ann]);
    expect(await verify()).toMatchObject({ erased: 2 });
    // A second erasure, as after the restore of a backup, keeps the record of the first.
    await execute(`SELECT audit.erase_user($1, '', false)`, [ann]);
    expect(await verify()).toMatchObject({ erased: 2 });

    await execute(
      `UPDATE security_logs s SET details_hash = audit.details_hash(s), details = NULL, ip_address = NULL,
         details_salt = NULL WHERE details ->> 'emailHash' = '0b'`,
    );
    await expect(verify()).rejects.toThrow('gone without an erasure');
  });

  it.each(['audit.forgotten', 'audit.removed'])('accepts no event %s of a server', async (type) => {
    for (const role of ['app', 'auth', 'worker', 'admin'] as const) {
      await expect(
        db.query(role, 'SELECT auth.log_event($1, NULL, true, NULL, NULL, NULL)', [type]),
      ).rejects.toMatchObject({ code: '42501', message: expect.stringContaining(role === 'app' ? '' : type) });
      await expect(db.query(role, 'SELECT auth.log_audit_event($1, NULL, NULL)', [type])).rejects.toMatchObject({
        code: '42501',
      });
    }
  });
});

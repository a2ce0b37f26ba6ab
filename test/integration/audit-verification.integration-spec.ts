import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SEAL_AUDIT_LOGS, VERIFY_AUDIT_LOGS } from '../../src/audit/seals/seal-audit-logs.task';
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
  const verify = (): Promise<TaskResult | Skipped> => run(VERIFY_AUDIT_LOGS);

  it('has nothing to do before there are rows, and finds nothing in logs that nobody changed', async () => {
    await execute('DELETE FROM security_logs');
    expect(await verify()).toEqual({ skipped: 'no row is sealed yet' });
    await createUser('ann');
    expect(await seal()).toEqual({ rows: expect.any(Number), seals: 1 });
    expect(await seal()).toEqual({ skipped: 'all rows are sealed' });
    await createUser('ben');

    expect(await verify()).toEqual({
      seals: 2,
      entries: expect.any(Number),
      erased: 0,
      removed: 0,
      unsealed: 0,
      witnessed: 0,
    });
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
    const purge = async (): Promise<unknown> =>
      (await db.query('worker', 'SELECT app.purge_security_logs(30) AS deleted'))[0]!['deleted'];

    expect(await purge()).toBe(0);
    await seal();
    // The floor rises when the transactions of an earlier seal have ended, also those in other databases.
    await waitFor('the event is removed', async () => {
      await execute(`SELECT auth.log_event('new.event', NULL, true, NULL, NULL, NULL)`);
      await seal();
      return (await purge()) === 1;
    });
    expect(await verify()).toMatchObject({ removed: 1 });
  });
});

import { setImmediate as nextTurn } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { Message } from '../../src/messages/message.entity';
import { currentContext } from '../../src/platform/context/request-context';
import { joinUnitOfWork } from '../../src/platform/database/current-unit-of-work';
import { Database } from '../../src/platform/database/database';
import type { UnitOfWork } from '../../src/platform/database/unit-of-work';
import { Proposal } from '../../src/proposals/proposal.entity';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller } from '../support/accounts';
import { insertJob } from '../support/factories/job.factory';
import { holdTimeouts } from '../support/frozen-date';
import { countSocketWrites } from '../support/measurements';
import { runAsUser } from '../support/run-as-user';
import { pause, waitFor } from '../support/wait-for';

const CONNECT_TIMEOUT_MS = 10_000;

const COUNT = 'SELECT count(*) AS count FROM messages';

const RUNNING_SLEEP = `
  SELECT 1 FROM pg_stat_activity
  WHERE datname = current_database() AND usename = 'gigvault_app' AND state = 'active'
    AND query LIKE '%pg_sleep(600)%'`;

describe(Database.name, () => {
  let app: TestApp;
  let database: Database;
  let ann: number;
  let bob: number;

  beforeAll(async () => {
    // One connection: what one unit left behind, the next one would find.
    app = await startApp({
      settings: {
        DATABASE_POOL_SIZE: '1',
        DATABASE_STATEMENT_TIMEOUT_MS: '5000',
        DATABASE_CONNECT_TIMEOUT_MS: String(CONNECT_TIMEOUT_MS),
      },
    });
    database = app.get(Database);
    ann = (await createSignedInCaller(app)).id;
    bob = (await createSignedInCaller(app)).id;
  });
  afterAll(() => app.close());
  afterEach(() => app.db.query('superuser', 'DELETE FROM messages'));

  const write = (unit: UnitOfWork, content: string): Promise<Message> =>
    unit.repository(Message).insert({ senderType: 'client', content });

  const countAs = async (userId: number): Promise<number> => {
    const [row] = await runAsUser(userId, () => database.query<{ count: number }>(COUNT));
    return row!.count;
  };

  const contextOfConnection = async (): Promise<unknown> => {
    const [row] = await pooled<{ context: string }>(
      app,
      `SELECT coalesce(current_setting('app.context', true), '') AS context`,
    );
    return row!.context;
  };

  it('keeps two tenants apart on one connection, even if something fails in between', async () => {
    const rows: { tenant: number; seen: number[] }[] = [];
    const wanted = { [ann]: 0, [bob]: 0 };

    const run = async (i: number): Promise<void> => {
      const tenant = i % 2 === 0 ? ann : bob;
      const isDoomed = i % 5 === 0;
      if (!isDoomed) wanted[tenant]! += 1;
      await runAsUser(tenant, () =>
        database.transaction(async (unit) => {
          await write(unit, `unit ${i}`);
          if (i % 10 === 0) await unit.query('SELECT 1/0');
          const seen = await unit.query<{ user_id: number }>('SELECT DISTINCT user_id FROM messages');
          rows.push({ tenant, seen: seen.map((row) => row.user_id) });
          if (isDoomed) throw new Error('on purpose');
        }),
      ).catch((error: Error) => {
        if (!isDoomed || !/on purpose|division by zero/.test(error.message)) throw error;
      });
    };
    for (let i = 0; i < 500; i += 20) await Promise.all(Array.from({ length: 20 }, (_, n) => run(i + n)));

    expect(rows.every(({ tenant, seen }) => seen.length === 1 && seen[0] === tenant)).toBe(true);
    expect(await countAs(ann)).toBe(wanted[ann]);
    expect(await countAs(bob)).toBe(wanted[bob]);
    const audited = await app.db.query(
      'superuser',
      `SELECT FROM audit_logs WHERE new_values ->> 'content' LIKE 'unit %'`,
    );
    expect(audited).toHaveLength(400);
    expect(await contextOfConnection()).toBe('');
  });

  it('throws before any SQL when nobody is signed in', async () => {
    const { writes } = await countSocketWrites(async () => {
      await expect(database.query(COUNT)).rejects.toMatchObject({ code: 'auth.session_missing' });
      await expect(database.transaction((unit) => unit.query(COUNT))).rejects.toMatchObject({
        code: 'auth.session_missing',
      });
    });

    expect(currentContext()).toBeUndefined();
    expect(writes).toBe(0);
  });

  it('probes as the app, through its pool, with no tenant', async () => {
    expect(await database.checkWritable()).toEqual({
      isInRecovery: false,
      isReadOnly: false,
      isContextAccepted: true,
      written: 4_000,
    });
    await runAsUser(ann, () =>
      database.transaction(async (unit) => {
        await unit.query(COUNT);
        const timeouts = holdTimeouts();
        const probe = expect(database.checkWritable()).rejects.toThrow('timeout exceeded');
        await nextTurn();
        timeouts.advance(CONNECT_TIMEOUT_MS);
        await probe;
      }),
    );
    jest.useRealTimers();
    expect(await contextOfConnection()).toBe('');
  });

  it('fails as a whole, also where nobody awaits the answer of a part', async () => {
    const unit = runAsUser(ann, () =>
      database.transaction(async (work) => {
        const parts = [work.query(COUNT), write(work, 'lost'), work.repository(Message).find(1, { lock: true })];
        await work.query('SELECT 1/0');
        return Promise.all(parts);
      }),
    );

    await expect(unit).rejects.toThrow('division by zero');
    await new Promise(setImmediate);
  });

  it('reports a COMMIT that answered ROLLBACK, even when the error before it was swallowed', async () => {
    const unit = runAsUser(ann, () =>
      database.transaction(async (work) => {
        await write(work, 'lost');
        await work.query('SELECT 1/0').catch(() => undefined);
        return 'done';
      }),
    );

    await expect(unit).rejects.toThrow('division by zero');
    expect(await countAs(ann)).toBe(0);
  });

  it('reports the statement of a one-statement unit that fails, and writes nothing', async () => {
    const statement = runAsUser(ann, () =>
      database.query(`INSERT INTO messages (sender_type, content) VALUES ('client', 'x'), ('nobody', 'y')`),
    );

    await expect(statement).rejects.toMatchObject({ code: '23514' });
    expect(await countAs(ann)).toBe(0);
  });

  it('ends a statement that runs longer than a request may, and leaves the connection as it was', async () => {
    const readTimeout = `SELECT current_setting('statement_timeout') AS timeout`;
    expect(await runAsUser(ann, () => database.query(readTimeout))).toEqual([{ timeout: '5s' }]);
    const { statementTimeoutMs } = database;
    database.statementTimeoutMs = 100;
    await expect(runAsUser(ann, () => database.query('SELECT pg_sleep(600)'))).rejects.toMatchObject({ code: '57014' });
    database.statementTimeoutMs = statementTimeoutMs;

    const [row] = await pooled<{ timeout: string }>(app, readTimeout);
    expect(row!.timeout).toBe('1min');
  });

  it('gives an error when its backend is killed, and works on with a new one', async () => {
    const killed = runAsUser(ann, () =>
      database.transaction(async (unit) => {
        await write(unit, 'lost');
        await killBackends(app);
        await write(unit, 'lost too');
      }),
    );

    await expect(killed).rejects.toThrow();
    expect(await countAs(ann)).toBe(0);
  });

  it('survives a backend that is killed while its unit waits for something else', async () => {
    const killed = runAsUser(ann, () =>
      database.transaction(async (unit) => {
        await write(unit, 'lost');
        await killBackends(app);
        await pause(100, 'the connection ends while the unit has no statement, and reports it to no one');
      }),
    );

    await expect(killed).rejects.toThrow();
    expect(await countAs(ann)).toBe(0);
  });

  it('survives a backend that is killed between two units', async () => {
    await countAs(ann);
    await killBackends(app);
    await waitFor('the pool drops the connection', () => getPool(app).totalCount === 0);

    expect(await countAs(ann)).toBe(0);
  });

  it('gives nobody the connection whose backend was killed under a read', async () => {
    const killed = runAsUser(ann, () => database.query('SELECT pg_sleep(600)'));
    const next = countAs(ann);
    const outcome = expect(killed).rejects.toMatchObject({ code: '57P01' });
    await waitFor('the statement runs', async () => {
      const running = await app.db.query('superuser', RUNNING_SLEEP);
      return running.length > 0;
    });
    await killBackends(app);

    await outcome;
    expect(await next).toBe(0);
  });

  it('runs the same statement many times at once in one unit', async () => {
    await runAsUser(ann, () =>
      database.transaction((unit) => Promise.all(Array.from({ length: 20 }, (_, i) => write(unit, `m${i}`)))),
    );

    expect(await countAs(ann)).toBe(20);
  });

  it('plans a statement once or each time where it asks for it, and leaves the others to PostgreSQL', async () => {
    const [once, eachTime, other] = [
      'SELECT $1::text AS once',
      'SELECT $1::text AS each_time',
      'SELECT $1::text AS other',
    ];
    await app.db.query('superuser', 'GRANT EXECUTE ON FUNCTION pg_prepared_statement() TO gigvault_app');
    const plans = await runAsUser(ann, async () => {
      for (let run = 0; run < 8; run++) {
        await database.query(once, ['a'], { planned: 'once' });
        await database.query(eachTime, ['a'], { planned: 'eachTime' });
        await database.query(other, ['a']);
      }
      return database.query<object>(
        `SELECT statement, generic_plans, custom_plans FROM pg_prepared_statements
         WHERE statement = ANY ($1) ORDER BY statement DESC`,
        [[once, eachTime, other]],
      );
    });

    expect(plans).toEqual([
      { statement: other, generic_plans: 3, custom_plans: 5 },
      { statement: once, generic_plans: 8, custom_plans: 0 },
      { statement: eachTime, generic_plans: 0, custom_plans: 8 },
    ]);
  });

  it('refuses a unit that is used after its end', async () => {
    let kept: UnitOfWork | undefined;
    await runAsUser(ann, () => database.transaction(async (unit) => void (kept = unit)));

    await expect(runAsUser(ann, () => kept!.query(COUNT))).rejects.toThrow('after its end');
  });

  it('joins an open unit of the same request, and a part that failed stops the whole', async () => {
    const whole = runAsUser(ann, () =>
      database.transaction(async (outer) => {
        await joinUnitOfWork(outer, async () => {
          await database.transaction((inner) => write(inner, 'first'));
          await database.transaction(() => Promise.reject(new Error('a part failed'))).catch(() => undefined);
        });
      }),
    );

    await expect(whole).rejects.toThrow('a part failed');
    expect(await countAs(ann)).toBe(0);
  });

  describe('change', () => {
    const change = (id: number, changes: Partial<Message>): Promise<Message> =>
      runAsUser(ann, () => database.change(Message, id, 'message.not_found', () => changes));

    it('returns the row as it now is, audited', async () => {
      const { id } = await runAsUser(ann, () => database.transaction((unit) => write(unit, 'unread')));

      expect(await change(id, { isRead: true })).toMatchObject({ id, isRead: true, version: 2, content: 'unread' });
      const audited = await app.db.query(
        'superuser',
        `SELECT old_values, new_values FROM audit_logs
         WHERE table_name = 'messages' AND record_id = $1 AND action = 'UPDATE'`,
        [id],
      );
      expect(audited).toEqual([{ old_values: { is_read: false }, new_values: { is_read: true } }]);
    });

    it('returns what triggers made of the row, too', async () => {
      const jobId = await insertJob(app.db, ann);
      const { id } = await runAsUser(ann, () =>
        database.transaction((unit) => unit.repository(Proposal).insert({ jobId })),
      );

      const won = { status: 'accepted', submittedAt: new Date() } as const;
      const changed = await runAsUser(ann, () => database.change(Proposal, id, 'proposal.not_found', () => won));

      expect(changed.wonAt).toBeInstanceOf(Date);
      expect(changed).toEqual(await runAsUser(ann, () => database.find(Proposal, id)));
    });

    it('leaves nothing, and says why, when the database refuses the change', async () => {
      const { id } = await runAsUser(ann, () => database.transaction((unit) => write(unit, 'unread')));

      await expect(change(id, { readAt: new Date() })).rejects.toMatchObject({ code: '23514' });
      const audited = await app.db.query(
        'superuser',
        `SELECT FROM audit_logs WHERE table_name = 'messages' AND record_id = $1`,
        [id],
      );
      expect(audited).toHaveLength(1);
    });

    it('leaves nothing when the decision is not to', async () => {
      const { id } = await runAsUser(ann, () => database.transaction((unit) => write(unit, 'unread')));
      const refused = runAsUser(ann, () =>
        database.change(Message, id, 'message.not_found', () => {
          throw new Error('not this one');
        }),
      );

      await expect(refused).rejects.toThrow('not this one');
      expect(await change(id, {})).toMatchObject({ version: 1 });
    });

    it("does not find another's row", async () => {
      const { id } = await runAsUser(ann, () => database.transaction((unit) => write(unit, 'unread')));
      const foreign = runAsUser(bob, () => database.change(Message, id, 'message.not_found', () => ({ isRead: true })));

      await expect(foreign).rejects.toMatchObject({ code: 'message.not_found' });
    });
  });

  describe('remove', () => {
    let id: number;

    beforeEach(async () => {
      const jobId = await insertJob(app.db, ann);
      const draft = (unit: UnitOfWork): Promise<Proposal> => unit.repository(Proposal).insert({ jobId });
      ({ id } = await runAsUser(ann, () => database.transaction(draft)));
    });

    const remove = (userId: number, check: (row: Proposal) => void = () => undefined): Promise<void> =>
      runAsUser(userId, () => database.remove(Proposal, id, 'proposal.not_found', check));
    const find = (): Promise<Proposal | null> => runAsUser(ann, () => database.find(Proposal, id));

    it('deletes the row, audited once', async () => {
      await remove(ann);

      expect(await find()).toBeNull();
      const audited = await app.db.query(
        'superuser',
        `SELECT FROM audit_logs WHERE table_name = 'proposals' AND record_id = $1 AND action = 'DELETE'`,
        [id],
      );
      expect(audited).toHaveLength(1);
    });

    it('keeps a row that the check refuses', async () => {
      const refused = remove(ann, ({ version }) => {
        throw new Error(`keep version ${version}`);
      });

      await expect(refused).rejects.toThrow('keep version 1');
      expect(await find()).toMatchObject({ id });
    });

    it("does not find another tenant's row, nor one that is gone", async () => {
      await expect(remove(bob)).rejects.toMatchObject({ code: 'proposal.not_found' });
      await remove(ann);
      await expect(remove(ann)).rejects.toMatchObject({ code: 'proposal.not_found' });
    });
  });

  describe('the socket', () => {
    beforeEach(() => countAs(ann));

    it('is written once for a read', async () => {
      const { writes } = await countSocketWrites(() => runAsUser(ann, () => database.query(COUNT)));

      expect(writes).toBe(1);
    });

    it('is written at most twice for a row created, its audit included', async () => {
      const { writes } = await countSocketWrites(() =>
        runAsUser(ann, () => database.transaction((unit) => write(unit, 'new'))),
      );

      expect(writes).toBeLessThanOrEqual(2);
    });

    it('is written at most twice for a row that is read under a lock and changed, its audit included', async () => {
      const { id } = await runAsUser(ann, () => database.transaction((unit) => write(unit, 'unread')));

      const { writes } = await countSocketWrites(() =>
        runAsUser(ann, () => database.change(Message, id, 'message.not_found', () => ({ isRead: true }))),
      );

      expect(writes).toBeLessThanOrEqual(2);
    });

    it('is written once for statements that are issued together', async () => {
      const { writes } = await countSocketWrites(() =>
        runAsUser(ann, () =>
          database.transaction((unit) => Promise.all([unit.query(COUNT), unit.query(COUNT), unit.query(COUNT)])),
        ),
      );

      expect(writes).toBeLessThanOrEqual(2);
    });
  });
});

describe(`${Database.name} with two tenants`, () => {
  let app: TestApp;
  let database: Database;
  let ann: number;
  let bob: number;

  beforeAll(async () => {
    app = await startApp({
      settings: { DATABASE_POOL_SIZE: '5', DATABASE_CONNECT_TIMEOUT_MS: '1000', DATABASE_LIST_TIMEOUT_MS: '100' },
    });
    database = app.get(Database);
    ann = (await createSignedInCaller(app)).id;
    bob = (await createSignedInCaller(app)).id;
  });
  // On a busy machine a new connection may take longer than a query may wait.
  beforeEach(() =>
    waitFor('all connections are open', async () => {
      await Promise.allSettled(Array.from({ length: 5 }, () => database.checkWritable()));
      return getPool(app).totalCount === 5;
    }),
  );
  afterAll(() => app.close());

  /** Units of one tenant that hold their connection until they are let go. */
  const holding = (userId: number, count: number) => {
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    let isOpen = (): void => undefined;
    const open = new Promise<void>((resolve) => (isOpen = resolve));
    const units = Array.from({ length: count }, () =>
      runAsUser(userId, () =>
        database.transaction(async (unit) => {
          await unit.query(COUNT);
          if ((count -= 1) === 0) isOpen();
          await held;
          // Another unit inside of this one: it must not wait for a place of the same tenant.
          return database.query(COUNT);
        }),
      ),
    );
    return { units, open, letGo };
  };

  it('lets one hold at most 40 % of the connections, and refuses who waits too long', async () => {
    const { units, open, letGo } = holding(ann, 2);
    await open;

    const refused = await runAsUser(ann, () => database.query(COUNT)).catch((error: unknown) => error);
    const served = await runAsUser(bob, () => database.query<{ count: number }>(COUNT));

    expect(refused).toMatchObject({ code: 'rate.too_many_at_once', status: 429, headers: { 'retry-after': '2' } });
    expect(served).toEqual([{ count: 0 }]);
    letGo();
    expect(await Promise.all(units)).toEqual([[{ count: 0 }], [{ count: 0 }]]);
    expect(await runAsUser(ann, () => database.query(COUNT))).toEqual([{ count: 0 }]);
  });

  it('gives the place back when a unit fails or cannot connect', async () => {
    for (let i = 0; i < 5; i++) {
      await expect(runAsUser(ann, () => database.query('SELECT 1/0'))).rejects.toThrow('division by zero');
      await expect(runAsUser(ann, () => database.transaction((unit) => unit.query('SELECT 1/0')))).rejects.toThrow(
        'division',
      );
    }

    expect(await runAsUser(ann, () => database.query(COUNT))).toEqual([{ count: 0 }]);
  });

  it('refuses a write that its text does not show, instead of an audit row without the request', async () => {
    await app.db.query(
      'superuser',
      `CREATE FUNCTION write_message() RETURNS void LANGUAGE sql
         AS $$ INSERT INTO messages (content, sender_type) VALUES ('x', 'client') $$;
       GRANT EXECUTE ON FUNCTION write_message() TO gigvault_app`,
    );

    await expect(runAsUser(ann, () => database.query('SELECT write_message()'))).rejects.toMatchObject({
      code: 'GV002',
    });
    expect(await runAsUser(ann, () => database.query(COUNT))).toEqual([{ count: 0 }]);
  });

  it('gives lists and searches less time than other statements', async () => {
    await expect(runAsUser(ann, () => database.list('SELECT pg_sleep(10)'))).rejects.toMatchObject({ code: '57014' });

    const [row] = await runAsUser(ann, () =>
      database.query<{ timeout: string }>(`SELECT current_setting('statement_timeout') AS timeout`),
    );
    expect(row!.timeout).toBe('15s');
  });

  it('lets a unit give its statements more time', async () => {
    const timeout = await runAsUser(ann, () =>
      database.transaction(async (unit) => {
        unit.setStatementTimeout(120_000);
        return unit.query(`SELECT current_setting('statement_timeout') AS timeout`);
      }),
    );

    expect(timeout).toEqual([{ timeout: '2min' }]);
  });
});

/** Returns the pool of the app's connections. */
function getPool(app: TestApp): { readonly totalCount: number } {
  return (app.get(DataSource).driver as unknown as { master: { totalCount: number } }).master;
}

/** Runs one statement on the pool's own connection, without a context. */
async function pooled<Row>(app: TestApp, sql: string): Promise<Row[]> {
  return app.get(DataSource).query<Row[]>(sql);
}

async function killBackends(app: TestApp): Promise<void> {
  await app.db.query(
    'superuser',
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE usename = 'gigvault_app' AND datname = current_database()`,
  );
}

import { DataSource } from 'typeorm';
import { AuditSubscriber, listStoredColumns } from '../../src/audit/audit.subscriber';
import { Job } from '../../src/jobs/job.entity';
import { Message } from '../../src/messages/message.entity';
import { Database } from '../../src/platform/database/database';
import type { UnitOfWork } from '../../src/platform/database/unit-of-work';
import { Proposal } from '../../src/proposals/proposal.entity';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller } from '../support/accounts';
import { insertJob } from '../support/factories/job.factory';
import { runAsUser } from '../support/run-as-user';
import { signContext } from '../support/signed-context';

interface AuditRow {
  readonly id: number;
  readonly table_name: string;
  readonly record_id: number;
  readonly action: string;
  readonly old_values: Record<string, unknown> | null;
  readonly new_values: Record<string, unknown> | null;
}

describe('the audit by subscriber and by triggers', () => {
  let app: TestApp;
  let database: Database;
  let ann: number;
  let jobId: number;
  let last: number;

  beforeAll(async () => {
    app = await startApp();
    database = app.get(Database);
  });
  beforeEach(async () => {
    ann = (await createSignedInCaller(app)).id;
    jobId = await insertJob(app.db, ann);
    const [row] = await app.db.query<{ id: number }>('superuser', 'SELECT coalesce(max(id), 0) AS id FROM audit_logs');
    last = row!.id;
  });
  afterAll(() => app.close());

  /** Rows written since the test began, in the order of writing. */
  const rows = (): Promise<AuditRow[]> =>
    app.db.query<AuditRow>('superuser', 'SELECT * FROM audit_logs WHERE id > $1 ORDER BY id', [last]);

  const asAnn = <T>(work: (unit: UnitOfWork) => Promise<T>): Promise<T> =>
    runAsUser(ann, () => database.transaction(work), { requestId: 'a request', operation: 'POST /v1/test' });

  /** Returns a row without the parts that differ between two records of the same content. */
  const toComparable = ({ table_name, action, old_values, new_values, ...rest }: AuditRow): unknown => ({
    table_name,
    action,
    old_values: omitGenerated(old_values),
    new_values: omitGenerated(new_values),
    who: { ...rest, id: 0, record_id: 0, created_at: 0, transaction_id: 0, values_salt: 0 },
  });

  const FULL = {
    upworkProposalId: null,
    coverLetter: 'Grüße "quoted" \\ 👩‍💻',
    bidAmount: '45.50',
    bidType: 'hourly',
    currency: 'EUR',
  } as const;

  it('writes the same rows for an insert, an update and a delete', async () => {
    await asAnn(async (unit) => {
      const proposals = unit.repository(Proposal);
      const created = await proposals.insert({ jobId, ...FULL });
      const changed = await proposals.update(created, {
        bidAmount: '50',
        coverLetter: null,
        submittedAt: new Date(0),
        status: 'submitted',
      });
      await proposals.remove(changed);
    });
    const recorded = await rows();

    await asAnn(async (unit) => {
      const [created] = await unit.query<{ id: number }>(
        `INSERT INTO proposals (job_id, cover_letter, bid_amount, bid_type, currency)
         VALUES ($1, $2, $3, $4, $5) RETURNING id`,
        [jobId, FULL.coverLetter, FULL.bidAmount, FULL.bidType, FULL.currency],
      );
      await unit.query(
        `UPDATE proposals SET bid_amount = 50, cover_letter = NULL, submitted_at = $2, status = 'submitted'
         WHERE id = $1`,
        [created!.id, new Date(0)],
      );
      await unit.query('DELETE FROM proposals WHERE id = $1', [created!.id]);
    });
    const captured = (await rows()).slice(recorded.length);

    expect(recorded.map(({ action }) => action)).toEqual(['INSERT', 'UPDATE', 'DELETE']);
    expect(recorded.map(toComparable)).toEqual(captured.map(toComparable));
    expect(recorded[0]).toMatchObject({
      user_id: ann,
      actor_kind: 'user',
      actor_id: ann,
      request_id: 'a request',
      ip_address: '203.0.113.7',
    });
  });

  it('writes the same rows for arrays, JSON and flags', async () => {
    const values = {
      title: 'T',
      skills: ['a "b"', 'c,d', '{}'],
      clientInfo: { rating: 4.5, tags: [null, 'x'] },
      isFavorite: true,
    };
    await asAnn(async (unit) => {
      const jobs = unit.repository(Job);
      const created = await jobs.insert({ ...values, sourceKey: 'upwork:1' });
      await jobs.update(created, { skills: [], clientInfo: null, isFavorite: false });
    });
    const recorded = await rows();

    await asAnn(async (unit) => {
      const [created] = await unit.query<{ id: number }>(
        `INSERT INTO jobs (title, skills, client_info, is_favorite, source_key)
         VALUES ($1, $2, $3, $4, 'upwork:2') RETURNING id`,
        [values.title, values.skills, JSON.stringify(values.clientInfo), true],
      );
      await unit.query(`UPDATE jobs SET skills = '{}', client_info = NULL, is_favorite = false WHERE id = $1`, [
        created!.id,
      ]);
    });
    const captured = (await rows()).slice(recorded.length);

    expect(recorded).toHaveLength(2);
    expect(recorded.map(toComparable)).toEqual(captured.map(toComparable));
  });

  it('omits the same columns, so that audit.record() stores the values of each entity as they are', async () => {
    const tables = await app.db.query<{ table_name: string; ignored_columns: string[] }>(
      'superuser',
      'SELECT table_name, ignored_columns FROM audit.audited_tables',
    );
    const ignored = new Map(tables.map((table) => [table.table_name, table.ignored_columns]));
    const entities = app.get(DataSource).entityMetadatas.filter(({ tableName }) => ignored.has(tableName));
    expect(entities.length).toBeGreaterThan(8);

    for (const metadata of entities) {
      const names = metadata.columns.filter((column) => !column.asExpression).map((column) => column.databaseName);
      const stored = names.filter((name) => !ignored.get(metadata.tableName)!.includes(name));

      expect([metadata.tableName, listStoredColumns(metadata).map(({ databaseName }) => databaseName)]).toEqual([
        metadata.tableName,
        stored,
      ]);
    }
  });

  it('writes each change of a mixed unit of work once', async () => {
    await asAnn(async (unit) => {
      const message = await unit.repository(Message).insert({ senderType: 'client', content: 'by the entity' });
      await unit.query(
        `INSERT INTO messages (sender_type, content) VALUES ('client', 'by SQL'), ('client', 'by SQL too')`,
      );
      await unit.repository(Message).update(message, { isRead: true });
      await unit.query(`UPDATE messages SET is_read = true WHERE NOT is_read`);
    });

    const written = (await rows()).map(
      ({ action, new_values }) => `${action} ${String(new_values!.content ?? new_values!.is_read)}`,
    );
    expect(written.sort()).toEqual([
      'INSERT by SQL',
      'INSERT by SQL too',
      'INSERT by the entity',
      'UPDATE true',
      'UPDATE true',
      'UPDATE true',
    ]);
  });

  it('writes each change of parallel statements in one unit of work once', async () => {
    await asAnn((unit) =>
      Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          i % 2 === 0
            ? unit.repository(Message).insert({ senderType: 'client', content: `m${i}` })
            : unit.query(`INSERT INTO messages (sender_type, content) VALUES ('client', $1)`, [`m${i}`]),
        ),
      ),
    );

    const contents = (await rows()).map(({ new_values }) => new_values!.content);
    expect(contents.sort()).toEqual(Array.from({ length: 10 }, (_, i) => `m${i}`));
  });

  it('writes the changes of a cascade in a unit of work with entities', async () => {
    const { proposal, message } = await asAnn(async (unit) => ({
      proposal: await unit.repository(Proposal).insert({ jobId }),
      message: await unit.repository(Message).insert({ jobId, senderType: 'client', content: 'x' }),
    }));
    const before = (await rows()).length;
    // The API's login may not delete jobs, so the test causes the cascade as an operator would.
    await app.db.transaction('superuser', async (client) => {
      await client.query(`SELECT set_config('app.context', $1, true)`, [
        signContext('superuser', { auditSource: 'subscriber' }),
      ]);
      await client.query('DELETE FROM jobs WHERE id = $1', [jobId]);
    });

    const written = (await rows()).slice(before);
    expect(written.map(({ table_name, record_id, action }) => [table_name, record_id, action]).sort()).toEqual([
      ['messages', message.id, 'UPDATE'],
      ['proposals', proposal.id, 'DELETE'],
    ]);
  });

  it('writes no row for a unit of work that is rolled back', async () => {
    const failed = asAnn(async (unit) => {
      await unit.repository(Message).insert({ senderType: 'client', content: 'lost' });
      await unit.query(`INSERT INTO messages (sender_type, content) VALUES ('client', 'lost too')`);
      throw new Error('on purpose');
    });

    await expect(failed).rejects.toThrow('on purpose');
    expect(await rows()).toEqual([]);
  });

  it('writes no row for an update that changes nothing', async () => {
    await asAnn(async (unit) => {
      const proposals = unit.repository(Proposal);
      const created = await proposals.insert({ jobId, ...FULL });
      await proposals.update(created, { bidAmount: '45.5', coverLetter: FULL.coverLetter });
      await unit.query('UPDATE proposals SET bid_amount = bid_amount WHERE id = $1', [created.id]);
    });

    expect((await rows()).map(({ action }) => action)).toEqual(['INSERT']);
  });

  it('audits a write that is not awaited, or does not commit it', async () => {
    await asAnn((unit) => {
      void unit.repository(Message).insert({ senderType: 'client', content: 'not awaited' });
      return Promise.resolve();
    }).catch(() => undefined);

    const [stored, audited] = await Promise.all([
      app.db.query('superuser', 'SELECT FROM messages WHERE user_id = $1', [ann]),
      rows(),
    ]);
    expect(audited).toHaveLength(stored.length);
  });

  it('stops the commit when the subscriber did not record a change', async () => {
    const silentSubscriber = jest.spyOn(AuditSubscriber.prototype, 'afterInsert').mockImplementation(() => undefined);
    const write = asAnn((unit) => unit.repository(Message).insert({ senderType: 'client', content: 'not recorded' }));

    await expect(write)
      .rejects.toThrow('not committed')
      .finally(() => silentSubscriber.mockRestore());
    expect(await app.db.query('superuser', 'SELECT FROM messages WHERE user_id = $1', [ann])).toEqual([]);
  });

  it('rejects changes of unlocked or stale rows, and of columns that the database sets', async () => {
    const { id } = await asAnn((unit) => unit.repository(Proposal).insert({ jobId }));

    await expect(
      asAnn(async (unit) => {
        const proposals = unit.repository(Proposal);
        return proposals.update((await proposals.find(id))!, { bidAmount: '1.00' });
      }),
    ).rejects.toThrow('lock: true');
    await expect(
      asAnn(async (unit) => {
        const proposals = unit.repository(Proposal);
        const proposal = (await proposals.find(id, { lock: true }))!;
        await proposals.update(proposal, { bidAmount: '1.00' });
        return proposals.update(proposal, { bidAmount: '2.00' });
      }),
    ).rejects.toThrow('lock: true');
    const stale = (await asAnn((unit) => unit.repository(Proposal).find(id, { lock: true })))!;
    await expect(asAnn((unit) => unit.repository(Proposal).update(stale, { bidAmount: '3.00' }))).rejects.toThrow(
      'lock: true',
    );
    await expect(asAnn((unit) => unit.repository(Proposal).insert({ jobId, userId: 1 }))).rejects.toThrow(
      'userId cannot be written',
    );
    await expect(asAnn((unit) => unit.repository(Proposal).insert({ jobId, version: 7 }))).rejects.toThrow(
      'version cannot be written',
    );
    await expect(asAnn((unit) => unit.repository(Proposal).insert({ jobId, wonAt: new Date() }))).rejects.toThrow(
      'wonAt cannot be written',
    );
  });

  it('takes tenant, actor and request from the context, not from the arguments of audit.record', async () => {
    const bob = (await createSignedInCaller(app)).id;
    const earlier = (await rows()).length;

    await asAnn((unit) =>
      unit.query(`SELECT audit.record('messages', 7, 'DELETE', $1, NULL)`, [
        { user_id: bob, content: 'x', actor_id: bob },
      ]),
    );

    const row = (await rows())[earlier];
    expect(row).toMatchObject({ user_id: ann, actor_id: ann, old_values: { user_id: ann, content: 'x' } });
  });

  it('redacts secrets with one list', async () => {
    await asAnn((unit) =>
      unit.query(`SELECT audit.record('users', $1, 'UPDATE', $2, $3)`, [
        ann,
        { encrypted_password: 'a hash' },
        { encrypted_password: 'another hash' },
      ]),
    );
    await app.db.query('superuser', `UPDATE users SET encrypted_password = 'a third hash' WHERE id = $1`, [ann]);

    expect((await rows()).map(({ old_values, new_values }) => [old_values, new_values])).toEqual(
      Array(2).fill([{ encrypted_password: '[redacted]' }, { encrypted_password: '[redacted]' }]),
    );
  });

  it('cannot be written, changed or emptied by the login of the API', async () => {
    for (const sql of [
      `INSERT INTO audit_logs (table_name, action) VALUES ('jobs', 'INSERT')`,
      `UPDATE audit_logs SET action = 'DELETE'`,
      'DELETE FROM audit_logs',
      'TRUNCATE audit_logs',
    ]) {
      await expect(asAnn((unit) => unit.query(sql))).rejects.toMatchObject({ code: '42501' });
    }
  });
});

/** Returns the values without ids and times that the database generated. */
function omitGenerated(values: AuditRow['old_values']): unknown {
  if (values === null) return null;
  return { ...values, ...('id' in values && { id: 0, created_at: 0, source_key: 0 }) };
}

import { randomUUID } from 'node:crypto';
import { Database } from '../../src/platform/database/database';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { pluck } from '../support/caller';
import { buildJob } from '../support/factories/job.factory';
import { buildMessage } from '../support/factories/message.factory';
import { buildProposal } from '../support/factories/proposal.factory';
import { runAsUser } from '../support/run-as-user';
import { startApp, type TestApp } from '../support/test-app';
import { waitFor } from '../support/wait-for';

interface AuditRow {
  readonly id: number;
  readonly table_name: string;
  readonly action: string;
  readonly operation: string;
  readonly record_id: number;
}

const UNDO = 'POST /v1/audit/requests/:requestId/undo';
const CSV = { 'content-type': 'text/csv' };

describe(UNDO, () => {
  let app: TestApp;
  let ann: SignedInCaller;
  let bob: SignedInCaller;

  beforeAll(async () => {
    app = await startApp();
  });
  beforeEach(async () => {
    [ann, bob] = await Promise.all([createSignedInCaller(app), createSignedInCaller(app)]);
  });
  afterAll(() => app.close());

  /** Runs requests under one new request id, and returns the id. */
  const record = async (work: (headers: { 'x-request-id': string }) => Promise<unknown>): Promise<string> => {
    const id = randomUUID();
    await work({ 'x-request-id': id });
    return id;
  };
  const undo = (requestId: string, headers: Record<string, string> = {}, caller = ann) =>
    caller.post(`/v1/audit/requests/${requestId}/undo`, undefined, headers);
  const readAudit = (requestId: string) =>
    app.db.query<AuditRow>('superuser', 'SELECT * FROM audit_logs WHERE request_id = $1 ORDER BY id', [requestId]);
  const createTemplate = async (name = 'Short', headers = {}): Promise<number> =>
    (await ann.post('/v1/templates', { name, type: 'proposal', body: 'Dear client' }, headers)).body.id;
  const createJob = async (values = {}, headers = {}): Promise<number> =>
    (await ann.post('/v1/jobs', buildJob(values), headers)).body.id;
  const createDraft = async (jobId: number, headers = {}): Promise<number> =>
    (await ann.post('/v1/proposals', buildProposal({ jobId }), headers)).body.id;

  it('deletes a created row', async () => {
    let id = 0;
    const request = await record(async (headers) => (id = await createTemplate('Short', headers)));

    const { status, body } = await undo(request, { 'x-request-id': 'undo-of-a-create' });

    expect([status, body]).toEqual([200, { requestId: request, changes: 1, deleted: 1, updated: 0, restored: 0 }]);
    expect((await ann.get(`/v1/templates/${id}`)).status).toBe(404);
    expect(await readAudit('undo-of-a-create')).toEqual([
      expect.objectContaining({ table_name: 'templates', action: 'DELETE', operation: UNDO, record_id: id }),
    ]);
  });

  it('gives changed fields their old values, also in the cache', async () => {
    const id = await createJob({ upworkJobId: '~01' });
    const before = (await ann.get(`/v1/jobs/${id}`)).body;
    const request = await record((headers) =>
      ann.patch(`/v1/jobs/${id}`, { title: 'Other', budgetMin: null, upworkJobId: null, skills: [] }, headers),
    );
    await ann.get(`/v1/jobs/${id}`);

    const { body } = await undo(request);

    expect(body).toMatchObject({ changes: 1, updated: 1 });
    const after = (await ann.get(`/v1/jobs/${id}`)).body;
    expect(after).toEqual({ ...before, version: before.version + 2, updatedAt: after.updatedAt });
    expect((await ann.post('/v1/jobs', buildJob({ upworkJobId: '~01' }))).body.code).toBe('job.already_exists');
  });

  it('brings a deleted row back with its id and an ETag that it never had', async () => {
    const id = await createTemplate();
    const before = (await ann.get(`/v1/templates/${id}`)).body;
    const request = await record((headers) => ann.delete(`/v1/templates/${id}`, undefined, headers));

    const { body } = await undo(request);

    expect(body).toMatchObject({ changes: 1, restored: 1 });
    const after = (await ann.get(`/v1/templates/${id}`)).body;
    expect(after).toEqual({ ...before, version: after.version, updatedAt: after.updatedAt });
    expect(after.version).toBeGreaterThan(1_000_000);
  });

  it('brings back a draft with its cover letters and its conversation', async () => {
    const jobId = await createJob();
    const id = await createDraft(jobId);
    await app.db.query(
      'superuser',
      `WITH l AS (INSERT INTO letter_versions (user_id, proposal_id, letter) VALUES ($1, $2, 'Hello'))
       INSERT INTO conversations (user_id, proposal_id, room_id) VALUES ($1, $2, 'a room')`,
      [ann.id, id],
    );
    const readRest = () =>
      app.db.query(
        'superuser',
        `SELECT l.*, c.id AS conversation FROM letter_versions l JOIN conversations c USING (proposal_id)
         WHERE l.proposal_id = $1`,
        [id],
      );
    const before = await readRest();
    const request = await record((headers) => ann.delete(`/v1/proposals/${id}`, undefined, headers));
    expect(await readRest()).toEqual([]);

    expect((await undo(request)).body).toMatchObject({ changes: 3, updated: 1, restored: 2 });

    expect(before).toHaveLength(1);
    expect(await readRest()).toEqual(before);
  });

  it('keeps the time of a decision when an archived proposal is accepted again', async () => {
    const id = await createDraft(await createJob());
    await ann.post(`/v1/proposals/${id}/submit`);
    await ann.post(`/v1/proposals/${id}/accept`);
    const readTimes = () => app.db.query('superuser', 'SELECT status, won_at FROM proposals WHERE id = $1', [id]);
    const before = await readTimes();
    const request = await record((headers) => ann.post(`/v1/proposals/${id}/archive`, undefined, headers));

    expect((await undo(request)).status).toBe(200);

    expect(await readTimes()).toEqual(before);
  });

  it('undoes an import, and the undo of it', async () => {
    const rows = Array.from({ length: 120 }, (_, n) => `Job ${n},${n}`).join('\n');
    const known = await createJob({ upworkJobId: '5', title: 'Known' });
    const before = (await ann.get(`/v1/jobs/${known}`)).body;
    const request = await record((headers) =>
      ann.post('/v1/jobs/import', `title,upwork_job_id\n${rows}\n`, { ...CSV, ...headers }),
    );
    const imported = (await ann.get('/v1/jobs?limit=100')).body.items;

    expect((await undo(request, { 'x-request-id': `${request}.undo` })).body).toMatchObject({
      deleted: 119,
      updated: 1,
    });
    expect(pluck((await ann.get('/v1/jobs')).body.items, 'id')).toEqual([known]);
    expect((await ann.get(`/v1/jobs/${known}`)).body).toMatchObject({
      title: 'Known',
      description: before.description,
    });

    expect((await undo(`${request}.undo`)).body).toMatchObject({ restored: 119, updated: 1 });
    const again = (await ann.get('/v1/jobs?limit=100')).body.items;
    expect(pluck(again, 'id')).toEqual(pluck(imported, 'id'));
    expect(pluck(again, 'title')).toEqual(pluck(imported, 'title'));
  });

  it('undoes all requests that share an id, the newest first', async () => {
    const first = await createTemplate('First');
    const request = await record(async (headers) => {
      await ann.patch(`/v1/templates/${first}`, { name: 'Second' }, headers);
      const other = await createTemplate('First', headers);
      await ann.delete(`/v1/templates/${other}`, undefined, headers);
      await createTemplate('First', headers);
    });

    expect((await undo(request)).body).toMatchObject({ changes: 4, deleted: 2, updated: 1, restored: 1 });

    expect(pluck((await ann.get('/v1/templates')).body.items, 'name')).toEqual(['First']);
  });

  it('undoes a change of another request with the id that commits while it waits', async () => {
    const id = await createTemplate('First');
    const request = await record((headers) => ann.patch(`/v1/templates/${id}`, { name: 'Second' }, headers));
    let undone: ReturnType<typeof undo> | undefined;

    await runAsUser(
      ann.id,
      () =>
        app.get(Database).transaction(async (unit) => {
          await unit.query(`UPDATE templates SET name = 'Third' WHERE id = $1`, [id]);
          undone = undo(request);
          await waitFor('the undo waits for the row', async () => {
            const waiting = `SELECT FROM pg_stat_activity
              WHERE datname = current_database() AND wait_event_type = 'Lock'`;
            return (await app.db.query('superuser', waiting)).length > 0;
          });
        }),
      { requestId: request },
    );

    expect((await undone!).body).toMatchObject({ changes: 2, updated: 2 });
    expect((await ann.get(`/v1/templates/${id}`)).body.name).toBe('First');
  });

  it('works for exactly one of two undoes at once', async () => {
    const id = await createTemplate();
    const request = await record((headers) => ann.patch(`/v1/templates/${id}`, { name: 'Long' }, headers));

    const answers = await Promise.all([undo(request), undo(request)]);

    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    const refused = answers.find(({ status }) => status === 409)!.body;
    expect(refused.conflicts).toEqual([expect.objectContaining({ reason: 'changed_later', recordId: id })]);
    expect((await ann.get(`/v1/templates/${id}`)).body.name).toBe('Short');
  });

  it('answers a repeated request with the stored response', async () => {
    const request = await record((headers) => createTemplate('Short', headers));
    const key = { 'idempotency-key': randomUUID() };

    const answers = [await undo(request, key), await undo(request, key)];

    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers[1]!.body).toEqual(answers[0]!.body);
  });

  describe('changes nothing and says why', () => {
    const refuse = async (request: string, caller = ann) => {
      const undoId = randomUUID();
      const { status, body } = await undo(request, { 'x-request-id': undoId }, caller);
      expect([status, body.code]).toEqual([409, 'audit.undo_refused']);
      expect(body.conflictsTotal).toBeGreaterThanOrEqual(body.conflicts.length);
      expect(await readAudit(undoId)).toEqual([]);
      return body.conflicts as Record<string, unknown>[];
    };

    it('when a row was changed later, and names that change', async () => {
      let id = 0;
      const request = await record(async (headers) => {
        id = await createTemplate('Short', headers);
        await createTemplate('Other', headers);
      });
      await ann.patch(`/v1/templates/${id}`, { name: 'Long' });
      const [latest] = (await ann.get(`/v1/audit/templates/${id}`)).body.items;

      expect(await refuse(request)).toEqual([
        {
          table: 'templates',
          recordId: id,
          reason: 'changed_later',
          auditId: expect.any(Number),
          laterAuditId: latest.id,
          message: expect.stringContaining(`audit entry ${latest.id}`),
        },
      ]);
      expect((await ann.get('/v1/templates')).body.items).toHaveLength(2);
    });

    it('when another row refers to one that would be deleted', async () => {
      let jobId = 0;
      const request = await record(async (headers) => (jobId = await createJob({}, headers)));
      const proposalId = await createDraft(jobId);

      expect(await refuse(request)).toEqual([
        expect.objectContaining({
          table: 'jobs',
          recordId: jobId,
          reason: 'in_use',
          otherTable: 'proposals',
          otherRecordId: proposalId,
        }),
      ]);
      expect((await ann.get(`/v1/proposals/${proposalId}`)).status).toBe(200);
    });

    it('when a unique value is taken, and undoes none of the other changes', async () => {
      const [id, other] = [await createTemplate('Short'), await createTemplate('Other')];
      const request = await record(async (headers) => {
        await ann.delete(`/v1/templates/${id}`, undefined, headers);
        await ann.patch(`/v1/templates/${other}`, { name: 'Changed' }, headers);
      });
      await createTemplate('Short');

      expect(await refuse(request)).toEqual([
        expect.objectContaining({
          recordId: id,
          reason: 'value_taken',
          constraint: 'templates_name_key',
          message: expect.stringContaining('already have a template with this name'),
        }),
      ]);
      expect((await ann.get(`/v1/templates/${other}`)).body.name).toBe('Changed');
    });

    it('when the parent is gone', async () => {
      let jobId = 0;
      const creation = await record(async (headers) => (jobId = await createJob({}, headers)));
      const draft = await createDraft(jobId);
      const deletion = await record((headers) => ann.delete(`/v1/proposals/${draft}`, undefined, headers));
      expect((await undo(creation)).status).toBe(200);

      expect(await refuse(deletion)).toEqual([
        expect.objectContaining({ table: 'proposals', recordId: draft, reason: 'parent_gone' }),
      ]);
    });

    it('when the row had secrets', async () => {
      const webhook = await ann.post('/v1/webhooks', { url: 'https://example.com/hook' });
      expect(webhook.status).toBe(201);
      const request = await record((headers) => ann.delete(`/v1/webhooks/${webhook.body.id}`, undefined, headers));

      expect(await refuse(request)).toEqual([expect.objectContaining({ table: 'webhooks', reason: 'redacted' })]);
    });

    it('when values were erased', async () => {
      const id = await createTemplate();
      const request = await record((headers) => ann.delete(`/v1/templates/${id}`, undefined, headers));
      await app.db.query('superuser', 'UPDATE audit_logs SET old_values = NULL WHERE request_id = $1', [request]);

      expect(await refuse(request)).toEqual([expect.objectContaining({ recordId: id, reason: 'erased' })]);
    });

    it('when it is a change of the account, or a message', async () => {
      const account = await record((headers) => ann.patch('/v1/users/me', { firstName: 'Anna' }, headers));
      const message = await record((headers) => ann.post('/v1/messages', buildMessage(), headers));

      expect(await refuse(account)).toEqual([expect.objectContaining({ table: 'users', reason: 'not_undoable' })]);
      expect(await refuse(message)).toEqual([expect.objectContaining({ table: 'messages', reason: 'not_undoable' })]);
    });

    it('when an old value is not valid any more', async () => {
      const id = await createTemplate();
      const request = await record((headers) => ann.patch(`/v1/templates/${id}`, { name: 'Long' }, headers));
      await app.db.query('superuser', `UPDATE audit_logs SET old_values = '{"name": ""}' WHERE request_id = $1`, [
        request,
      ]);

      expect(await refuse(request)).toEqual([
        expect.objectContaining({ reason: 'not_valid', constraint: 'templates_name_length' }),
      ]);
    });

    it('with at most 100 conflicts and their number', async () => {
      const rows = Array.from({ length: 130 }, (_, n) => `Job ${n}`).join('\n');
      const request = await record((headers) =>
        ann.post('/v1/jobs/import', `title\n${rows}\n`, { ...CSV, ...headers }),
      );
      await app.db.query('superuser', 'UPDATE jobs SET is_favorite = true WHERE user_id = $1', [ann.id]);

      const { body } = await undo(request);

      expect([body.conflicts.length, body.conflictsTotal]).toEqual([100, 130]);
    });
  });

  it('marks messages as unread again', async () => {
    const { id } = (await ann.post('/v1/messages', buildMessage())).body;
    const request = await record((headers) => ann.post(`/v1/messages/${id}/read`, undefined, headers));

    expect((await undo(request)).body).toMatchObject({ updated: 1 });

    expect((await ann.get(`/v1/messages/${id}`)).body).toMatchObject({ isRead: false, readAt: null });
  });

  it('undoes only what the user did, not what a task or an admin did under the same id', async () => {
    const [id, other] = [await createTemplate('Mine'), await createTemplate('Theirs')];
    const request = await record((headers) => ann.patch(`/v1/templates/${id}`, { name: 'Changed' }, headers));
    await app.db.query('superuser', `UPDATE templates SET name = 'By a task' WHERE id = $1`, [other]);
    await app.db.query(
      'superuser',
      `UPDATE audit_logs SET request_id = $1, actor_kind = 'task', actor_id = $2
       WHERE table_name = 'templates' AND record_id = $3 AND action = 'UPDATE'`,
      [request, ann.id, other],
    );

    expect((await undo(request)).body).toMatchObject({ changes: 1 });
    expect((await ann.get(`/v1/templates/${other}`)).body.name).toBe('By a task');
  });

  it('answers 404 for an unknown id and for the request of another user', async () => {
    const request = await record((headers) => createTemplate('Short', headers));

    const answers = [await undo(randomUUID()), await undo(request, {}, bob)];

    expect(answers.map(({ status, body }) => [status, body.code])).toEqual(answers.map(() => [404, 'audit.not_found']));
    expect((await ann.get('/v1/templates')).body.items).toHaveLength(1);
  });

  it.each(['with%20space', 'with%00nul'])('rejects the malformed id %s and names it', async (id) => {
    const { status, body } = await undo(id);

    expect([status, body.errors[0].pointer]).toEqual([400, '/requestId']);
  });
});

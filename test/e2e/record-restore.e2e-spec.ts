import { randomUUID } from 'node:crypto';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { pluck } from '../support/caller';
import { buildJob } from '../support/factories/job.factory';
import { buildProposal } from '../support/factories/proposal.factory';
import { startApp, type TestApp } from '../support/test-app';

const TEMPLATE = { name: 'Short', type: 'proposal', body: 'Dear client' };
const SEARCH = { name: 'Databases', query: 'postgresql' };
const TABLES: Readonly<Record<string, string>> = { 'saved-searches': 'saved_searches' };

describe('POST /v1/{jobs,proposals,templates,saved-searches}/:id/restore', () => {
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

  const create = async (path: string, body: unknown): Promise<number> => {
    const answer = await ann.post(`/v1/${path}`, body);
    expect(answer.status).toBe(201);
    return answer.body.id;
  };
  /** Ids of the audit rows of a record, the oldest first. */
  const listAuditIds = async (path: string, id: number): Promise<number[]> =>
    pluck<number>((await ann.get(`/v1/audit/${TABLES[path] ?? path}/${id}`)).body.items, 'id').reverse();
  const restore = (path: string, id: number, auditId: unknown, headers = {}, caller = ann) =>
    caller.post(`/v1/${path}/${id}/restore`, { auditId }, headers);
  const read = async (path: string, id: number) => (await ann.get(`/v1/${path}/${id}`)).body;

  /** Creates one record of each kind; the change is the body of a PATCH. */
  const createEach = async (): Promise<{ path: string; id: number; change: object }[]> => {
    const jobId = await create('jobs', buildJob({ title: 'A job with a draft' }));
    return [
      {
        path: 'jobs',
        id: await create('jobs', buildJob()),
        change: { title: 'Other', budgetMin: null, skills: ['C'] },
      },
      { path: 'proposals', id: await create('proposals', buildProposal({ jobId })), change: { bidAmount: '99.5' } },
      { path: 'templates', id: await create('templates', TEMPLATE), change: { name: 'Long', body: 'Hello' } },
      { path: 'saved-searches', id: await create('saved-searches', SEARCH), change: { query: 'redis', alertHours: 5 } },
    ];
  };

  it('makes an earlier version the new one, with one audit row', async () => {
    for (const { path, id, change } of await createEach()) {
      const before = await read(path, id);
      await ann.patch(`/v1/${path}/${id}`, change);
      const [first] = await listAuditIds(path, id);

      const { status, body, headers } = await restore(path, id, first);

      expect([path, status]).toEqual([path, 200]);
      expect(body).toEqual({ ...before, version: 3, updatedAt: body.updatedAt });
      expect(headers.get('etag')).toBe('"3"');
      expect(await read(path, id)).toEqual(body);
      const { items } = (await ann.get(`/v1/audit/${TABLES[path] ?? path}/${id}`)).body;
      expect(pluck(items, 'action')).toEqual(['UPDATE', 'UPDATE', 'INSERT']);
      expect(items[0].operation).toBe(`POST /v1/${path}/:id/restore`);
    }
  });

  it('writes nothing when the record has this version already', async () => {
    for (const { path, id } of await createEach()) {
      const [first] = await listAuditIds(path, id);

      expect((await restore(path, id, first)).body.version).toBe(1);
      expect(await listAuditIds(path, id)).toHaveLength(1);
    }
  });

  it('brings a deleted record back with its id', async () => {
    for (const { path, id, change } of (await createEach()).filter(({ path }) => path !== 'jobs')) {
      const before = await read(path, id);
      await ann.patch(`/v1/${path}/${id}`, change);
      expect((await ann.delete(`/v1/${path}/${id}`)).status).toBe(204);
      const [first] = await listAuditIds(path, id);

      const { status, body } = await restore(path, id, first);

      expect([path, status]).toEqual([path, 200]);
      expect(body).toEqual({ ...before, version: body.version, updatedAt: body.updatedAt });
      expect(body.version).toBeGreaterThan(1_000_000);
      expect(await listAuditIds(path, id)).toHaveLength(4);
    }
  });

  it('restores a job with the status deleted', async () => {
    const id = await create('jobs', buildJob());
    await ann.delete(`/v1/jobs/${id}`);
    const [first] = await listAuditIds('jobs', id);

    expect((await restore('jobs', id, first)).body.status).toBe('active');
  });

  it('computes the key of a job again', async () => {
    const id = await create('jobs', buildJob());
    await ann.patch(`/v1/jobs/${id}`, { title: 'Other' });
    await restore('jobs', id, (await listAuditIds('jobs', id))[0]);

    expect((await ann.post('/v1/jobs', buildJob())).body.code).toBe('job.already_exists');
  });

  it('starts a search over when its query changes', async () => {
    const id = await create('saved-searches', SEARCH);
    await ann.patch(`/v1/saved-searches/${id}`, { query: 'redis' });
    await app.db.query('superuser', 'UPDATE saved_searches SET last_searched_at = now() WHERE id = $1', [id]);

    const { body } = await restore('saved-searches', id, (await listAuditIds('saved-searches', id))[0]);

    expect(body).toMatchObject({ query: 'postgresql', lastSearchedAt: null });
  });

  describe('rejects', () => {
    it('the record of another user, and the audit entry of another user', async () => {
      const theirs = (await bob.post('/v1/templates', TEMPLATE)).body.id;
      const [theirEntry] = pluck<number>((await bob.get(`/v1/audit/templates/${theirs}`)).body.items, 'id');
      const mine = await create('templates', TEMPLATE);
      const [myEntry] = await listAuditIds('templates', mine);

      const answers = [
        await restore('templates', theirs, myEntry),
        await restore('templates', theirs, theirEntry),
        await restore('templates', mine, theirEntry),
      ];

      expect(answers.map(({ status, body }) => [status, body.code])).toEqual([
        [404, 'template.not_found'],
        [404, 'template.not_found'],
        [404, 'audit.not_found'],
      ]);
    });

    it('an audit entry of another record, of a deletion, or no id, and names the field', async () => {
      const [id, other] = [await create('templates', TEMPLATE), await create('templates', { ...TEMPLATE, name: 'B' })];
      await ann.delete(`/v1/templates/${other}`);
      const [, deletion] = await listAuditIds('templates', other);

      const answers = [
        await restore('templates', id, deletion),
        await restore('templates', other, deletion),
        await restore('templates', id, 'x'),
        await restore('templates', id, undefined),
      ];

      expect(answers.map(({ status, body }) => [status, body.errors[0].pointer])).toEqual(
        answers.map(() => [400, '/auditId']),
      );
    });

    it('a version other than that of If-Match', async () => {
      const id = await create('templates', TEMPLATE);
      await ann.patch(`/v1/templates/${id}`, { name: 'Long' });
      const [first] = await listAuditIds('templates', id);

      expect((await restore('templates', id, first, { 'if-match': '"1"' })).status).toBe(412);
      expect((await restore('templates', id, first, { 'if-match': '"2"' })).status).toBe(200);
    });

    it('a name that is taken, and names it', async () => {
      const id = await create('templates', TEMPLATE);
      await ann.delete(`/v1/templates/${id}`);
      await create('templates', TEMPLATE);

      const { status, body } = await restore('templates', id, (await listAuditIds('templates', id))[0]);

      expect([status, body.code, body.errors[0].pointer]).toEqual([409, 'template.already_exists', '/name']);
      expect(await listAuditIds('templates', id)).toHaveLength(2);
    });

    it('a webhook that is gone, and names it', async () => {
      const webhookId = await create('webhooks', { url: 'https://example.com/hook' });
      const id = await create('saved-searches', { ...SEARCH, webhookId });
      await ann.delete(`/v1/webhooks/${webhookId}`);

      const { status, body } = await restore('saved-searches', id, (await listAuditIds('saved-searches', id))[0]);

      expect([status, body.code, body.errors[0].pointer]).toEqual([409, 'audit.restore_conflict', '/webhookId']);
    });

    it('a proposal that is not a draft', async () => {
      const id = await create('proposals', buildProposal({ jobId: await create('jobs', buildJob()) }));
      await ann.post(`/v1/proposals/${id}/submit`);
      const [first] = await listAuditIds('proposals', id);

      expect((await restore('proposals', id, first)).body.code).toBe('proposal.not_draft');
    });

    it('a draft for a deleted job, and a second draft', async () => {
      const jobId = await create('jobs', buildJob());
      const id = await create('proposals', buildProposal({ jobId }));
      const [first] = await listAuditIds('proposals', id);
      await ann.delete(`/v1/proposals/${id}`);
      const other = await create('proposals', buildProposal({ jobId }));

      const second = await restore('proposals', id, first);
      await ann.delete(`/v1/proposals/${other}`);
      await ann.delete(`/v1/jobs/${jobId}`);
      const deleted = await restore('proposals', id, first);

      expect([second.body.code, deleted.body.code]).toEqual(['proposal.already_open', 'job.wrong_status']);
    });

    it('a version that the log no longer has completely', async () => {
      const id = await create('templates', TEMPLATE);
      await ann.patch(`/v1/templates/${id}`, { name: 'Long' });
      const [first, second] = await listAuditIds('templates', id);
      await app.db.query('superuser', 'DELETE FROM audit_logs WHERE id = $1', [first]);

      expect((await restore('templates', id, second)).body.code).toBe('audit.version_incomplete');
    });
  });

  it('answers a repeated request with the stored response', async () => {
    const id = await create('templates', TEMPLATE);
    await ann.patch(`/v1/templates/${id}`, { name: 'Long' });
    const [first] = await listAuditIds('templates', id);
    const key = { 'idempotency-key': randomUUID() };

    const answers = [await restore('templates', id, first, key), await restore('templates', id, first, key)];

    expect(answers[1]!.body).toEqual(answers[0]!.body);
    expect(await listAuditIds('templates', id)).toHaveLength(3);
  });

  it('restores a deleted record once when asked twice at once', async () => {
    const id = await create('templates', TEMPLATE);
    await ann.delete(`/v1/templates/${id}`);
    const [first] = await listAuditIds('templates', id);

    const answers = await Promise.all([restore('templates', id, first), restore('templates', id, first)]);

    expect(answers.map(({ status }) => status)).toContain(200);
    expect(await listAuditIds('templates', id)).toHaveLength(3);
  });
});

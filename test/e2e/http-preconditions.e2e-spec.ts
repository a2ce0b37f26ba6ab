import { randomUUID } from 'node:crypto';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { waitFor } from '../support/wait-for';
import { buildJob, insertJob } from '../support/factories/job.factory';
import { buildMessage } from '../support/factories/message.factory';
import { buildProposal } from '../support/factories/proposal.factory';

/** A resource with an ETag: its creation, its path and a change. */
interface Resource {
  readonly name: string;
  make(ann: SignedInCaller): Promise<string>;
  readonly change: readonly [method: string, suffix: string, body?: object];
}

describe('preconditions of RFC 9110', () => {
  let app: TestApp;
  let ann: SignedInCaller;

  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    ann = await createSignedInCaller(app);
  });

  const made =
    (path: string, body: () => object) =>
    async (owner: SignedInCaller): Promise<string> => {
      const { status, body: resource } = await owner.post(path, body());
      expect(status).toBe(201);
      return `${path}/${resource.id}`;
    };
  const proposal = async (owner: SignedInCaller): Promise<string> => {
    const jobId = await insertJob(app.db, owner.id);
    return made('/v1/proposals', () => buildProposal({ jobId }))(owner);
  };

  const generation = async (owner: SignedInCaller): Promise<string> => {
    const [row] = await app.db.query<{ id: number }>(
      'superuser',
      `INSERT INTO ai_generations (user_id, generation_type, prompt, status)
       VALUES ($1, 'message', 'x', 'running') RETURNING id`,
      [owner.id],
    );
    return `/v1/ai/generations/${row!.id}`;
  };

  const resources: readonly Resource[] = [
    {
      name: 'a job',
      make: made('/v1/jobs', () => buildJob({ title: randomUUID() })),
      change: ['PATCH', '', { title: 'Changed' }],
    },
    { name: 'a job, deleted', make: made('/v1/jobs', () => buildJob({ title: randomUUID() })), change: ['DELETE', ''] },
    {
      name: 'a template',
      make: made('/v1/templates', buildTemplate),
      change: ['PATCH', '', { body: 'Another body {{job}}' }],
    },
    { name: 'a template, deleted', make: made('/v1/templates', buildTemplate), change: ['DELETE', ''] },
    {
      name: 'a saved search',
      make: made('/v1/saved-searches', buildSavedSearch),
      change: ['PATCH', '', { name: 'Changed' }],
    },
    { name: 'a webhook', make: made('/v1/webhooks', buildWebhook), change: ['PATCH', '', { isActive: false }] },
    { name: 'a proposal', make: proposal, change: ['PATCH', '', { bidAmount: '9.00' }] },
    { name: 'a proposal, submitted', make: proposal, change: ['POST', '/submit', {}] },
    {
      name: 'a message',
      make: made('/v1/messages', () => buildMessage({ senderType: 'client' })),
      change: ['POST', '/read', {}],
    },
    { name: 'an account', make: () => Promise.resolve('/v1/users/me'), change: ['PATCH', '', { firstName: 'Bea' }] },
    { name: 'a generation, cancelled', make: generation, change: ['DELETE', ''] },
    { name: 'a profile', make: createProfile, change: ['PUT', '', { headline: 'Changed' }] },
  ];

  it.each(resources)('$name', async ({ make, change: [method, suffix, body] }) => {
    const path = await make(ann);
    const before = await ann.get(path);
    const etag = before.headers.get('etag')!;
    const change = (headers: Record<string, string>) => ann.send(method, path + suffix, body, headers);

    const rejected = [
      await change({ 'if-none-match': '*' }),
      await change({ 'if-none-match': `"0", ${etag}` }),
      await change({ 'if-none-match': `W/${etag}` }),
      await change({ 'if-match': `W/${etag}` }),
      await change({ 'if-match': '"0", "99"' }),
      await change({ 'if-match': etag, 'if-none-match': etag }),
    ];
    const unchanged = await ann.get(path);
    const changed = await change({ 'if-match': `"0", ${etag}`, 'if-none-match': '"0"' });

    expect(rejected.map(({ status, body: problem }) => [status, problem.code])).toEqual(
      rejected.map(() => [412, 'precondition.failed']),
    );
    expect(unchanged.body).toEqual(before.body);
    expect([200, 204]).toContain(changed.status);
  });

  it('checks 400 before 404 before 412', async () => {
    const headers = { 'if-none-match': '*' };

    expect((await ann.patch('/v1/jobs/999999999', { title: 'x' }, headers)).status).toBe(404);
    expect((await ann.patch('/v1/jobs/999999999', { title: 1 }, headers)).status).toBe(400);
  });

  it('applies If-Match to a read', async () => {
    const path = await made('/v1/jobs', () => buildJob({ title: randomUUID() }))(ann);
    const statusOf = async (headers: Record<string, string>): Promise<number> => (await ann.get(path, headers)).status;

    expect(await statusOf({ 'if-match': '"1"' })).toBe(200);
    expect(await statusOf({ 'if-match': '*' })).toBe(200);
    expect(await statusOf({ 'if-match': '"2"' })).toBe(412);
    expect(await statusOf({ 'if-none-match': '"2", W/"1"' })).toBe(304);
    expect(await statusOf({ 'if-match': '"2"', 'if-none-match': '"1"' })).toBe(412);
  });

  it('rejects a rotation after a concurrent one', async () => {
    const path = await made('/v1/webhooks', buildWebhook)(ann);
    const id = path.split('/').at(-1);
    const rotating = await app.db.transaction('superuser', async (client) => {
      await client.query(`UPDATE webhooks SET is_active = false, version = version + 1 WHERE id = $1`, [id]);
      const answer = ann.post(`${path}/rotate-secret`);
      await waitFor('the rotation waits for the row', async () => {
        const waiting = await app.db.query(
          'superuser',
          `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        return waiting.length > 0;
      });
      return { answer };
    });

    expect(await rotating.answer).toMatchObject({ status: 409, body: { code: 'conflict.concurrent' } });
  });

  it('answers HEAD like GET, without the body', async () => {
    const path = await made('/v1/jobs', () => buildJob({ title: randomUUID() }))(ann);
    const conditions: Record<string, string>[] = [
      {},
      { 'if-none-match': '*' },
      { 'if-none-match': '"2", W/"1"' },
      { 'if-none-match': '"2"' },
      { 'if-match': '"1"' },
      { 'if-match': '"2"' },
    ];
    const of = async (method: string): Promise<unknown[]> => {
      const answers = [];
      for (const headers of conditions) answers.push(await ann.send(method, path, undefined, headers));
      return answers.map(({ status, headers }) => [status, headers.get('etag'), headers.get('cache-control')]);
    };

    expect(await of('HEAD')).toEqual(await of('GET'));
    expect((await of('HEAD')).map((answer) => (answer as number[])[0])).toEqual([200, 304, 304, 200, 200, 412]);
  });

  it('writes a first profile twelve times at once: one row, and an audit row for each change', async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) => ann.put('/v1/profile', { headline: `Headline ${n % 6}` })),
    );
    const [{ count, version }] = (await app.db.query<{ count: number; version: number }>(
      'superuser',
      'SELECT count(*)::int AS count, max(version) AS version FROM profiles WHERE user_id = $1',
      [ann.id],
    )) as [{ count: number; version: number }];
    const audit = await app.db.query<{ action: string }>(
      'superuser',
      `SELECT action FROM audit_logs WHERE table_name = 'profiles' AND user_id = $1 ORDER BY id`,
      [ann.id],
    );

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(count).toBe(1);
    expect(audit.map(({ action }) => action)).toEqual([
      'INSERT',
      ...Array.from({ length: version - 1 }, () => 'UPDATE'),
    ]);
  });

  it('creates a profile only if there is none, and changes it only if there is one', async () => {
    const put = async (headers: Record<string, string>): Promise<number> =>
      (await ann.put('/v1/profile', { headline: 'x' }, headers)).status;

    expect(await put({ 'if-match': '*' })).toBe(412);
    expect(await put({ 'if-none-match': '*' })).toBe(200);
    expect(await put({ 'if-none-match': '*' })).toBe(412);
    expect(await put({ 'if-match': '*' })).toBe(200);
  });
});

async function createProfile(owner: SignedInCaller): Promise<string> {
  expect((await owner.put('/v1/profile', { headline: 'First' })).status).toBe(200);
  return '/v1/profile';
}

function buildTemplate(): object {
  return { name: randomUUID(), type: 'cover_letter', body: 'Dear client' };
}

function buildSavedSearch(): object {
  return { name: randomUUID(), query: 'postgresql' };
}

function buildWebhook(): object {
  return { url: 'http://127.0.0.1:9/hook' };
}

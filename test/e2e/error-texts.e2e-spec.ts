import { connect } from 'node:net';
import { AccessAlertsService } from '../../src/admin/dashboard/overview/access-alerts.service';
import { LivePartsService } from '../../src/admin/dashboard/live-parts.service';
import { runInContext } from '../../src/platform/context/request-context';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, createUser, type SignedInCaller, signInFrom } from '../support/accounts';
import { buildJob } from '../support/factories/job.factory';

/** The titles and details of errors, which people read. */
describe('error texts', () => {
  let app: TestApp;
  let user: SignedInCaller;
  let admin: SignedInCaller;

  beforeAll(async () => {
    app = await startApp({ settings: { AI_DAILY_CEILING_USD: '5.00', AI_LOCAL_BASE_URL: '' } });
    [user, admin] = await Promise.all([
      createSignedInCaller(app),
      createSignedInCaller(app, { role: 'admin', hasStepUp: false }),
    ]);
  });
  afterAll(() => app.close());

  const answerOf = ({ status, body }: { status: number; body: Record<string, string> }): unknown[] => [
    status,
    body.code,
    body.title,
    body.detail,
  ];

  it('name the missing role', async () => {
    expect(answerOf(await user.get('/v1/admin/users'))).toEqual([
      403,
      'auth.forbidden',
      'You do not have permission',
      'This route needs the role admin.',
    ]);
  });

  it('explain how to re-authenticate', async () => {
    expect(answerOf(await admin.post('/v1/admin/backups', { reason: 'a test' }))).toEqual([
      403,
      'auth.step_up_required',
      'Re-authentication needed',
      'POST /v1/auth/step-up with your password, then repeat the request within 10 minutes.',
    ]);
  });

  it.each<[string, unknown, string]>([
    ['no title', {}, 'title is required.'],
    ['a title of null', { title: null }, 'title is required.'],
    [
      'a wrong name',
      { title: 'A', favourite: true },
      'Unknown field "favourite". Did you mean "isFavorite"? Known fields: ',
    ],
    ['a read-only field', { title: 'A', id: 1 }, 'The field "id" is read-only. Leave it out. Known fields: '],
    ['null for a field that has a default', { title: 'A', currency: null }, 'currency must not be null. Leave it out.'],
  ])('say what to send instead of %s', async (_, body, detail) => {
    const answer = await user.post('/v1/jobs', body);

    expect([answer.status, answer.body.detail.slice(0, detail.length)]).toEqual([400, detail]);
    expect(answer.body.detail.split('upworkJobId').length).toBeLessThanOrEqual(2);
  });

  it.each(['abc', '0', '101', '1.5', ''])('give the whole range for limit=%s', async (limit) => {
    const { status, body } = await user.get(`/v1/jobs?limit=${limit}`);

    expect([status, body.detail, body.errors.length]).toEqual([400, 'limit must be a whole number from 1 to 100.', 1]);
  });

  it('list the methods of a route', async () => {
    expect(answerOf(await user.put('/v1/jobs', {}))).toEqual([
      405,
      'route.method_not_allowed',
      'Method not allowed',
      'This route accepts GET, HEAD, OPTIONS, POST.',
    ]);
  });

  it('list the media types of a route, also in a header', async () => {
    const post = await user.post('/v1/jobs', 'a', { 'content-type': 'text/plain' });
    const file = await user.post('/v1/jobs/import', 'a', { 'content-type': 'application/vnd.ms-excel' });
    const charset = await user.post('/v1/jobs/import', 'a', { 'content-type': 'text/csv; charset=windows-1251' });

    expect(answerOf(post)).toEqual([
      415,
      'request.media_type_unsupported',
      'Unsupported media type',
      'Send application/json, application/merge-patch+json.',
    ]);
    expect(post.headers.get('accept-post')).toBe('application/json, application/merge-patch+json');
    expect(file.body.detail).toBe('Send application/json, application/x-ndjson, text/csv.');
    expect(file.headers.get('accept-post')).toBe('application/json, application/x-ndjson, text/csv');
    expect(charset.body.detail).toBe('Save the text as UTF-8 and send that.');
  });

  it('name the limit of a body', async () => {
    const { status, body } = await user.post('/v1/jobs', { title: 'x'.repeat(1_100_000) });

    expect([status, body.detail]).toEqual([413, 'The body exceeds the limit of 1 MiB.']);
  });

  it('give the position where a body is not JSON', async () => {
    const { status, body } = await user.post('/v1/jobs', '{"title":"A",}', { 'content-type': 'application/json' });

    expect([status, body.detail]).toEqual([400, 'The text is not valid JSON at position 13: a comma before "}".']);
  });

  it('say what to do about a cursor, a reference and a step', async () => {
    const { body: job } = await user.post('/v1/jobs', buildJob());
    const { body: proposal } = await user.post('/v1/proposals', {
      jobId: job.id,
      coverLetter: 'A',
      bidAmount: '5.00',
      bidType: 'fixed',
    });
    await user.post(`/v1/proposals/${proposal.id}/submit`);

    expect((await user.get('/v1/jobs?cursor=abc')).body.detail).toBe(
      'This cursor belongs to another list, filter or sort. Start again without it.',
    );
    expect((await user.post('/v1/proposals', { jobId: 999_999 })).body.detail).toBe('You have no job with this id.');
    expect((await user.post(`/v1/proposals/${proposal.id}/submit`)).body.detail).toBe(
      'A submitted proposal cannot be submitted again. Possible now: accept, reject, withdraw, archive.',
    );
  });

  it('say what a webhook and Upwork need', async () => {
    expect((await user.post('/v1/webhooks', { url: 'http://hooks.example.com/' })).body.detail).toBe(
      'Webhook URLs must begin with https://.',
    );
    expect(answerOf(await user.post('/v1/tokens/upwork/authorize'))).toEqual([
      503,
      'upwork.not_configured',
      'Upwork is not set up on this server',
      'The operator of this server sets UPWORK_CLIENT_ID and UPWORK_CLIENT_SECRET.',
    ]);
  });

  it.each([
    ['/v1/saved-searches/999999', 'saved_search.not_found'],
    ['/v1/templates/999999', 'template.not_found'],
  ])('GET %s is 404 %s', async (path, code) => {
    const { status, body } = await user.get(path);

    expect([status, body.code]).toEqual([404, code]);
  });

  it.each([
    ['/v1/admin/tasks/nothing/run', 'task.not_found'],
    ['/v1/admin/tasks/runs/999999/retry', 'task.run_not_found'],
    ['/v1/admin/backups/999999/verify', 'backup.not_found'],
  ])('for an admin POST %s is 404 %s', async (path, code) => {
    const person = await createUser(app, { role: 'admin' });
    const fresh = await signInFrom(app, person);
    await fresh.post('/v1/auth/step-up', { password: person.password });
    const { status, body } = await fresh.post(path, { reason: 'a test' });

    expect([status, body.code]).toEqual([404, code]);
  });

  it('report a missing delivery', async () => {
    const { body: webhook } = await user.post('/v1/webhooks', { url: 'https://hooks.example.com/' });
    const { status, body } = await user.post(`/v1/webhooks/${webhook.id}/deliveries/999999/retry`);

    expect([status, body.code]).toEqual([404, 'webhook.delivery_not_found']);
  });

  it('report an unknown model and a budget above the ceiling', async () => {
    const { body: job } = await user.post('/v1/jobs', { title: 'For a draft' });
    const model = await user.post('/v1/ai/generations', { type: 'proposal', jobId: job.id, model: 'nothing' });
    const budget = await user.put('/v1/ai/budget', { dailyUsd: '5000.00', monthlyUsd: null });

    expect([model.status, model.body.code]).toEqual([422, 'ai.model_unknown']);
    expect([budget.status, budget.body.code]).toEqual([422, 'ai.budget_above_ceiling']);
  });

  it('report a missing alert of the dashboard', async () => {
    const context = { requestId: 'a-test', ip: null, userAgent: null, operation: 'a test' };
    const principal = { userId: admin.id, role: 'admin' as const, sessionId: admin.sessionId };

    await runInContext({ ...context, principal }, async () => {
      await expect(app.get(AccessAlertsService).dismiss(999_999, 'a test')).rejects.toMatchObject({
        code: 'alert.not_found',
      });
    });
  });

  it('report a missing part of the dashboard', () => {
    expect(() => app.get(LivePartsService).findReader('nothing')).toThrow(
      expect.objectContaining({ code: 'resource.not_found' }),
    );
  });

  it.each([
    ['request.malformed', 'GET /health/live HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n'],
    ['request.expectation_failed', 'GET /health/live HTTP/1.1\r\nhost: a\r\nexpect: tea\r\n\r\n'],
    ['request.headers_too_large', `GET / HTTP/1.1\r\nhost: x\r\nx-long: ${'a'.repeat(40_000)}\r\n\r\n`],
  ])('%s is a problem without a request', async (code, bytes) => {
    const { hostname, port } = new URL(app.url);
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(bytes));
      socket
        .on('data', (bytes: Buffer) => (text += bytes.toString()))
        .on('close', () => resolve(text))
        .on('error', reject);
    });

    expect(answer).toContain(`"code":"${code}"`);
  });
});

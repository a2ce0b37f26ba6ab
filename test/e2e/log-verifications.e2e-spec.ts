import type { LogVerificationDto } from '../../src/admin/api/log-verifications/log-verifications.dto';
import { createSignedInCaller, createUser, type Credentials, signInFrom } from '../support/accounts';
import type { Caller } from '../support/caller';
import { readEvents } from '../support/server-sent-events';
import { startApp, type TestApp } from '../support/test-app';
import { createManualWorker, type ManualWorker } from '../support/test-worker';

const PATH = '/v1/admin/audit/verify';

describe('/v1/admin/audit/verify', () => {
  let app: TestApp;
  let worker: ManualWorker;
  let credentials: Credentials;
  let admin: Caller;
  let ann: Caller;

  beforeAll(async () => {
    app = await startApp();
    worker = await createManualWorker(app);
    credentials = await createUser(app, { role: 'admin' });
    admin = await signInFrom(app, credentials);
    await admin.post('/v1/auth/step-up', { password: credentials.password });
    ann = await createSignedInCaller(app);
    await ann.post('/v1/jobs', { title: 'One' });
  });
  afterAll(async () => {
    await worker.close();
    await app.close();
  });

  const execute = (sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
    app.db.query('superuser', sql, values);
  const start = (body: object = {}) => admin.post<LogVerificationDto>(PATH, body);
  const get = async (id: number): Promise<LogVerificationDto> =>
    (await admin.get<LogVerificationDto>(`${PATH}/${id}`)).body;
  const runWorker = (): Promise<void> => worker.runQueued('verify-audit-logs');

  async function verify(body: object = {}): Promise<LogVerificationDto> {
    const { id } = (await start(body)).body;
    await runWorker().catch(() => undefined);
    return get(id);
  }

  it('is for admins who have just proved who they are', async () => {
    expect((await ann.post(PATH, {})).status).toBe(403);
    expect((await ann.get(`${PATH}/1`)).status).toBe(403);
    expect((await ann.get(`${PATH}/1/events`)).status).toBe(403);
    const other = await createSignedInCaller(app, { role: 'admin', hasStepUp: false });
    expect(await other.post(PATH, {})).toMatchObject({ status: 403, body: { code: 'auth.step_up_required' } });
  });

  it('reports no difference of logs that nobody changed, one at a time, and keeps the report', async () => {
    const reason = 'before the audit';
    const started = await start({ reason });
    expect(started).toMatchObject({ status: 202, body: { status: 'pending', progress: 0, report: null } });
    expect(started.headers.get('location')).toBe(`${PATH}/${started.body.id}`);
    expect(await start({ from: '2026-01-01T00:00:00Z' })).toMatchObject({
      status: 409,
      body: { code: 'audit.verification_running' },
    });

    await runWorker();
    const first = await get(started.body.id);
    expect(first).toMatchObject({
      status: 'finished',
      progress: 1,
      error: null,
      report: {
        differences: 0,
        tampering: [],
        erased: expect.any(Number),
        rows: expect.any(Number),
        seals: expect.any(Number),
      },
    });
    expect(first.report!.rows).toBeGreaterThan(0);
    expect(await verify()).toMatchObject({ status: 'finished', report: { differences: 0 } });
    expect(await get(started.body.id)).toEqual(first);
    const reasons = await execute(
      `SELECT details ->> 'reason' AS reason FROM security_logs WHERE event_type = 'system.admin' ORDER BY id`,
    );
    expect(reasons.map((each) => each['reason'])).toEqual(
      expect.arrayContaining([`verify the logs: ${reason}`, `read verification ${first.id} of the logs`]),
    );
  });

  it('names a changed row by its place, in the times that were asked for', async () => {
    await verify();
    const [row] = await execute(
      `UPDATE audit_logs a SET action = 'another' FROM audit_logs b
       WHERE a.id = (SELECT max(id) FROM audit_logs) AND b.id = a.id RETURNING a.id, a.created_at, b.action`,
    );
    const tampering = [{ place: `audit_logs ${String(row!['id'])}`, problem: 'it was changed' }];
    const at = (row!['created_at'] as Date).toISOString();

    expect(await verify()).toMatchObject({ status: 'finished', report: { differences: 1, tampering } });
    expect(await verify({ from: at })).toMatchObject({ from: at, to: null, report: { differences: 1, tampering } });
    expect(await verify({ to: at })).toMatchObject({ from: null, to: at, report: { differences: 0 } });
    const [run] = await execute(
      `SELECT error FROM task_runs WHERE task = 'verify-audit-logs' AND error IS NOT NULL ORDER BY id DESC LIMIT 1`,
    );
    expect(run!['error']).toContain(tampering[0]!.place);
    await execute('UPDATE audit_logs SET action = $2 WHERE id = $1', [row!['id'], row!['action']]);
  });

  it('counts the rows of an erased user', async () => {
    const leaving = await createUser(app);
    await verify();
    await execute('SELECT audit.erase_user($1, NULL, false)', [leaving.id]);

    const { report } = await verify();
    expect(report).toMatchObject({ differences: 0 });
    expect(report!.erased).toBeGreaterThan(0);
  });

  it('streams its progress, and ends with the report', async () => {
    const { id } = (await start()).body;
    const { status, events } = await readEvents(`${app.url}${PATH}/${id}/events`, {
      token: admin.token!,
      onEvent: async (_, index) => {
        if (index === 0) await runWorker();
      },
    });

    expect(status).toBe(200);
    expect(events[0]).toMatchObject({ event: 'progress', data: { status: 'pending', progress: 0 } });
    expect(events.at(-1)).toMatchObject({
      event: 'done',
      data: { id, status: 'finished', report: { differences: 0 } },
    });
  });

  it('says when its worker was lost, and another worker takes it over', async () => {
    const { id } = (await start()).body;
    await execute(
      `UPDATE audit.verifications SET status = 'running', seen_at = now() - interval '1 hour' WHERE id = $1`,
      [id],
    );
    expect(await get(id)).toMatchObject({ status: 'failed', error: 'its worker was lost' });
    const next = await start();
    expect(next.status).toBe(202);

    await runWorker();
    await runWorker();
    expect([(await get(id)).status, (await get(next.body.id)).status]).toEqual(['finished', 'finished']);
  });

  it('stores the error that ended it', async () => {
    const { id } = (await start()).body;
    await execute('ALTER FUNCTION audit.check_entries RENAME TO check_no_entries');
    await expect(runWorker()).rejects.toThrow();
    await execute('ALTER FUNCTION audit.check_no_entries RENAME TO check_entries');

    expect(await get(id)).toMatchObject({
      status: 'failed',
      report: null,
      error: expect.stringContaining('check_entries'),
    });
  });

  it('rejects times in the wrong order and unknown ids', async () => {
    const wrong = await admin.post(PATH, { from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' });
    expect([wrong.status, wrong.body.errors?.[0]?.pointer]).toEqual([400, '/to']);
    const unparsed = await admin.post(PATH, { from: 'yesterday' });
    expect([unparsed.status, unparsed.body.errors?.[0]?.pointer]).toEqual([400, '/from']);
    for (const path of [`${PATH}/999`, `${PATH}/999/events`])
      expect(await admin.get(path)).toMatchObject({ status: 404, body: { code: 'audit.verification_not_found' } });
    expect((await admin.get(`${PATH}/x`)).status).toBe(400);
  });

  it('ends the stream when the session is over', async () => {
    const other = await signInFrom(app, credentials);
    const { id } = (await start()).body;
    const { events } = await readEvents(`${app.url}${PATH}/${id}/events`, {
      token: other.token!,
      onEvent: async (_, index) => {
        if (index === 0) await other.post('/v1/auth/logout', {});
      },
    });

    expect(events.at(-1)!.event).toBe('end');
    await runWorker();
  });
});

import { SEAL_AUDIT_LOGS } from '../../src/audit/seals/seal-audit-logs.task';
import { randomUUID } from 'node:crypto';
import { DETECT_SUSPICIOUS_ACCESS } from '../../src/auth/security-events/detect-suspicious-access.task';
import { SystemDatabase } from '../../src/platform/database/system-database';
import { runInContext } from '../../src/platform/context/request-context';
import type { TaskResult, Skipped, TaskContext } from '../../src/platform/scheduler/scheduled-task';
import { PURGE_EXPIRED } from '../../src/platform/scheduler/purge-expired.task';
import { waitFor } from '../support/wait-for';
import { startApp, type TestApp } from '../support/test-app';
import { createAnonymousCaller, createSignedInCaller, createUser, type Credentials } from '../support/accounts';
import type { Caller } from '../support/caller';
import { listEmails } from '../support/emails';

describe('the detection of suspicious access', () => {
  let app: TestApp;
  let admin: Caller & { email: string };

  beforeAll(async () => {
    app = await startApp({ settings: { TRUSTED_PROXIES: '127.0.0.1' }, runsTasks: true });
  });
  beforeEach(async () => {
    admin = await createSignedInCaller(app, { role: 'admin' });
  });
  // The detection reads the events of all users.
  afterEach(() => app.db.query('superuser', 'DELETE FROM users; DELETE FROM security_logs; DELETE FROM access_alerts'));
  afterAll(() => app.close());

  /** Runs a task as a worker does. */
  function run(
    task: typeof DETECT_SUSPICIOUS_ACCESS,
    lastResult: TaskResult | null = null,
  ): Promise<TaskResult | Skipped> {
    const system = app.get(SystemDatabase);
    const context: TaskContext = {
      startedBy: 'schedule',
      startedById: null,
      signal: new AbortController().signal,
      lastResult,
      readOnly: (work) => system.asScheduler(work),
      asWorker: (work) => system.asWorker('a test', work),
      service: (type) => app.get(type),
    };
    return runInContext(
      { requestId: 'a test', ip: null, userAgent: null, operation: 'a test', actorKind: 'task' },
      () => task.run(context),
    );
  }

  const login = ({ email, password }: Credentials, ip: string, agent = 'the usual browser') =>
    createAnonymousCaller(app).post(
      '/v1/auth/login',
      { email, password },
      { 'x-forwarded-for': ip, 'user-agent': agent },
    );

  const listSubjects = async (email: string): Promise<string[]> =>
    (await listEmails(admin, email)).map(({ subject }) => subject);

  it('sends nothing for usual sign-ins', async () => {
    const person = await createUser(app);
    for (let i = 0; i < 3; i++) await login(person, `203.0.113.${i}`);
    await login({ ...person, password: 'once mistyped' }, '203.0.113.1');

    expect(await run(DETECT_SUSPICIOUS_ACCESS)).toMatchObject({
      failure_burst: 0,
      address_sweep: 0,
      new_device: 0,
      far_addresses: 0,
      mailed: 0,
    });
    expect(await listSubjects(person.email)).toEqual([]);
  });

  it('notifies an owner of a burst of failures, once an hour, with advice', async () => {
    const person = await createUser(app);
    for (let i = 0; i < 12; i++) await login({ ...person, password: `wrong ${i}` }, `198.51.100.${i}`);

    expect(await run(DETECT_SUSPICIOUS_ACCESS)).toMatchObject({ failure_burst: 1, address_sweep: 0, mailed: 1 });
    expect(await run(DETECT_SUSPICIOUS_ACCESS)).toMatchObject({ failure_burst: 0, mailed: 0 });

    const [email, ...others] = await listEmails(admin, person.email);
    expect(others).toEqual([]);
    expect(email).toMatchObject({ subject: 'Many failed sign-ins to your account' });
    expect(email!.text).toContain('12 sign-ins to your account failed within minutes, from 12 addresses.');
    expect(email!.text).toContain('turn on two-factor sign-in');
  });

  it('notifies admins of one address against many accounts, existing or not', async () => {
    const people = [await createUser(app), await createUser(app)];
    for (const person of people) await login({ ...person, password: 'a guess' }, '198.51.100.9');
    for (let i = 0; i < 9; i++)
      await login({ id: 0, email: `${randomUUID()}@example.com`, password: 'a guess' }, '198.51.100.9');

    expect(await run(DETECT_SUSPICIOUS_ACCESS)).toMatchObject({ failure_burst: 0, address_sweep: 1, mailed: 1 });

    const [email] = await listEmails(admin, admin.email);
    expect(email).toMatchObject({ subject: 'Failed sign-ins to many accounts from one address' });
    expect(email!.text).toContain('11 sign-ins to 11 accounts failed within minutes, all from 198.51.100.9.');
  });

  it('notifies an owner of a new device, but not of the first', async () => {
    const person = await createUser(app);
    await login(person, '203.0.113.7');
    expect(await run(DETECT_SUSPICIOUS_ACCESS)).toMatchObject({ new_device: 0 });

    await login(person, '203.0.113.8', "a stranger's browser");
    await login(person, '203.0.99.8');

    expect(await run(DETECT_SUSPICIOUS_ACCESS)).toMatchObject({ new_device: 1, far_addresses: 0 });
    const [email] = await listEmails(admin, person.email);
    expect(email!.text).toContain("a stranger's browser, from 203.0.113.8");
    expect(email!.text).toContain('end your other sessions');
  });

  it('notifies an owner of two far addresses within minutes, but not of IPv4 and IPv6 of one device', async () => {
    const [person, other] = [await createUser(app), await createUser(app)];
    await login(person, '203.0.113.7');
    await login(person, '198.51.100.7');
    await login(other, '203.0.113.9');
    await login(other, '2001:db8::1');

    expect(await run(DETECT_SUSPICIOUS_ACCESS)).toMatchObject({ far_addresses: 1 });
    expect(await listSubjects(person.email)).toContain('Your account is used in two places at once');
    expect(await listSubjects(other.email)).not.toContain('Your account is used in two places at once');
    await app.db.query(
      'superuser',
      `UPDATE security_logs SET created_at = created_at - interval '11 minutes' WHERE ip_address = '203.0.113.7'`,
    );
    await app.db.query('superuser', `DELETE FROM access_alerts`);
    expect(await run(DETECT_SUSPICIOUS_ACCESS)).toMatchObject({ far_addresses: 0 });
  });

  it('searches further back after a pause', async () => {
    const person = await createUser(app);
    for (let i = 0; i < 12; i++) await login({ ...person, password: `wrong ${i}` }, `198.51.100.${i}`);
    await app.db.query('superuser', `UPDATE security_logs SET created_at = created_at - interval '2 hours'`);

    expect(await run(DETECT_SUSPICIOUS_ACCESS)).toMatchObject({ failure_burst: 0 });
    expect(
      await run(DETECT_SUSPICIOUS_ACCESS, { until: new Date(Date.now() - 2 * 3_600_000).toISOString() }),
    ).toMatchObject({
      failure_burst: 1,
    });
  });

  it('shows alerts to admins, who can dismiss them', async () => {
    const person = await createUser(app, { role: 'admin' });
    for (let i = 0; i < 12; i++) await login({ ...person, password: `wrong ${i}` }, `198.51.100.${i}`);
    await run(DETECT_SUSPICIOUS_ACCESS);
    const signIn = await createAnonymousCaller(app).post(
      '/admin/sign-in',
      new URLSearchParams({ email: person.email, password: person.password }).toString(),
      {
        'content-type': 'application/x-www-form-urlencoded',
      },
    );
    const cookie = signIn.headers.get('set-cookie')!.split(';', 1)[0]!;

    const page = (await createAnonymousCaller(app).get('/admin/security', { cookie })).body as string;

    expect(page).toContain('12 sign-ins to the account of this user failed');
    const [, id] = /\/admin\/alerts\/(\d+)\/dismiss/.exec(page)!;
    const dismissed = await createAnonymousCaller(app).post(`/admin/alerts/${id}/dismiss`, 'reason=it+was+a+test', {
      cookie,
      'content-type': 'application/x-www-form-urlencoded',
    });
    expect([dismissed.status, dismissed.headers.get('location')]).toEqual([303, '/admin/security?done=dismiss']);
    expect((await createAnonymousCaller(app).get('/admin/security', { cookie })).body).toContain('No open alerts.');
    const events = await app.db.query(
      'superuser',
      `SELECT details ->> 'reason' AS reason FROM security_logs WHERE details ->> 'reason' LIKE 'dismiss%'`,
    );
    expect(events).toEqual([{ reason: `dismiss access alert ${id}: it was a test` }]);
  });

  it('deletes sealed events after the configured retention', async () => {
    const person = await createUser(app);
    await login(person, '203.0.113.7');
    await login(person, '203.0.113.8');
    await app.db.query(
      'superuser',
      `UPDATE security_logs SET created_at = now() - interval '401 days' WHERE ip_address = '203.0.113.7'`,
    );

    // An event is sealed for good when the transactions of that time have ended, also those in other databases.
    await waitFor('the event is deleted', async () => {
      await login(person, '203.0.113.8');
      await run(SEAL_AUDIT_LOGS);
      return ((await run(PURGE_EXPIRED)) as { securityEvents: number }).securityEvents === 1;
    });

    const left = await app.db.query(
      'superuser',
      `SELECT host(ip_address) AS ip FROM security_logs WHERE user_id = $1`,
      [person.id],
    );
    expect(new Set(left.map(({ ip }) => ip))).toEqual(new Set(['203.0.113.8']));
    await expect(app.db.query('worker', 'SELECT app.purge_security_logs(29)')).rejects.toThrow('30 days');
  });
});

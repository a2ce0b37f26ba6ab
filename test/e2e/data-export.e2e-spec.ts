import { EXPORT_SECTIONS, NOT_EXPORTED, SECRET_COLUMNS } from '../../src/users/export-sections';
import { MATRIX } from '../rls/matrix';
import { startApp, type TestApp } from '../support/test-app';
import {
  createAnonymousCaller,
  createSignedInCaller,
  createUser,
  type Credentials,
  signInFrom,
} from '../support/accounts';
import type { Caller } from '../support/caller';
import { listEmails } from '../support/emails';
import { pause } from '../support/wait-for';

/** Tables that hold rows of a tenant. */
const TENANT_TABLES = Object.entries(MATRIX).filter(([, { tenant }]) => tenant !== undefined);
const LOGS = ['public.security_logs', 'public.audit_logs'];

describe('the data of a user', () => {
  let app: TestApp;
  /** Another process, with the limits that the first does not have. */
  let limited: TestApp;
  let admin: Caller;

  beforeAll(async () => {
    app = await startApp();
    limited = await startApp({
      sharedWith: app,
      settings: { RATE_LIMIT_PER_MINUTE: '600', AUTH_THROTTLE_SCALE: '1' },
    });
    admin = await createSignedInCaller(app, { role: 'admin' });
  });
  afterAll(async () => {
    await limited.close();
    await app.close();
  });

  /** Creates a user with a row in every table. */
  async function createUserWithData(role: 'user' | 'admin' = 'user'): Promise<{ person: Credentials; user: Caller }> {
    const person = await createUser(app, { role });
    const user = await signInFrom(app, person, 'a very particular browser');
    const [job] = await app.db.query<{ id: number }>(
      'superuser',
      `${MATRIX['public.jobs']!.make({ userId: person.id, jobId: 0 })} RETURNING id`,
    );
    for (const [table, { make }] of TENANT_TABLES) {
      if (table === 'public.users' || table === 'public.jobs') continue;
      await app.db.query('superuser', make({ userId: person.id, jobId: job!.id })).catch((error: Error) => {
        // Sign-in has created the row already.
        if (!/duplicate key/.test(error.message)) throw error;
      });
    }
    return { person, user };
  }

  const stepUp = async (user: Caller, { password }: Credentials): Promise<void> => {
    expect((await user.post('/v1/auth/step-up', { password })).status).toBe(204);
  };

  const countRows = async (userId: number): Promise<Record<string, number>> => {
    const counts: Record<string, number> = {};
    for (const [table, { tenant }] of TENANT_TABLES) {
      const [row] = await app.db.query<{ n: number }>(
        'superuser',
        `SELECT count(*) AS n FROM ${table} WHERE ${tenant} = $1`,
        [userId],
      );
      counts[table] = row!.n;
    }
    return counts;
  };

  it.each(['GET export', 'POST erase'])('is exported or erased (%s) only after a step-up', async (route) => {
    const [method, path] = route.split(' ');
    const person = await createUser(app);
    const user = await signInFrom(app, person);

    expect(await user.send(method!, `/v1/users/me/${path}`)).toMatchObject({
      status: 403,
      body: { code: 'auth.step_up_required' },
    });
    expect((await createAnonymousCaller(app).send(method!, `/v1/users/me/${path}`)).status).toBe(401);
    await stepUp(user, person);
    const [session] = (await user.get('/v1/auth/sessions')).body.items;
    await app.redis.hset(`session:${session.id}`, { stepUpUntil: Date.now() - 1 });
    await pause(1_000, 'the server may know a session for a second');

    expect((await user.send(method!, `/v1/users/me/${path}`)).status).toBe(403);
    expect((await user.get('/v1/users/me')).status).toBe(200);
  });

  it('is exported completely from every table, without secrets', async () => {
    const { person, user } = await createUserWithData();
    await app.db.query(
      'superuser',
      `INSERT INTO jobs (user_id, source_key, title, budget_min)
       SELECT $1, 'upwork:' || i, 'job ' || i, 12.50 FROM generate_series(1, 1200) AS i`,
      [person.id],
    );
    await stepUp(user, person);

    const answer = await user.get('/v1/users/me/export');

    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.headers.get('cache-control')).toContain('no-store');
    expect(answer.body).toMatchObject({ userId: person.id, complete: true, account: [{ email: person.email }] });
    expect(answer.body.jobs).toHaveLength(1201);
    expect(new Set(answer.body.jobs.map(({ id }: { id: number }) => id)).size).toBe(1201);
    expect(answer.body.jobs[5]).toMatchObject({ title: expect.any(String), budgetMin: '12.50' });
    expect(answer.body.sessions).toMatchObject([{ device: 'a very particular browser' }]);
    const rowCounts = await countRows(person.id);
    for (const { name, table } of EXPORT_SECTIONS) {
      expect([name, answer.body[name].length > 0]).toEqual([name, rowCounts[`public.${table}`]! > 0]);
      expect([name, rowCounts[`public.${table}`]! > 0]).toEqual([name, true]);
    }
    const names = JSON.stringify(answer.body).match(/"\w+":/g) ?? [];
    for (const secret of SECRET_COLUMNS)
      expect(names).not.toContain(`"${secret.replace(/_(\w)/g, (_, l: string) => l.toUpperCase())}":`);
    expect(names).not.toContain('"encryptedPassword":');
  });

  it('is exported from every tenant table that NOT_EXPORTED does not list', () => {
    const listed = [...EXPORT_SECTIONS.map(({ table }) => table), ...Object.keys(NOT_EXPORTED)].map(
      (table) => `public.${table}`,
    );

    expect(listed.sort()).toEqual(TENANT_TABLES.map(([table]) => table).sort());
  });

  it('is exported to its owner only, at most ten times an hour', async () => {
    const person = await createUser(app);
    const user = (await signInFrom(app, person)).withBaseUrl(limited.url);
    const other = await createUser(app);
    const stranger = (await signInFrom(app, other)).withBaseUrl(limited.url);
    await stepUp(user, person);
    await stepUp(stranger, other);

    expect(JSON.stringify((await stranger.get('/v1/users/me/export')).body)).not.toContain(person.email);
    const statuses: number[] = [];
    for (let i = 0; i < 11; i++) statuses.push((await user.get('/v1/users/me/export')).status);

    expect(statuses).toEqual([...Array(10).fill(200), 429]);
    const { items } = (await user.get('/v1/users/me/limits')).body;
    expect(items).toContainEqual({ name: 'exports', limit: 10, used: 11, windowSeconds: 3600 });
  });

  it('is erased from every table, cache and session, and removed from the logs', async () => {
    const { person, user } = await createUserWithData();
    const elsewhere = await signInFrom(app, person, 'another browser');
    await createAnonymousCaller(app).post('/v1/auth/password/forgot', { email: person.email });
    await app.db.query('superuser', `UPDATE jobs SET title = 'a very particular title' WHERE user_id = $1`, [
      person.id,
    ]);
    const before = await app.db.query<{ id: number; hash: string }>(
      'superuser',
      `SELECT id, encode(audit.values_hash(a), 'hex') AS hash FROM audit_logs a WHERE user_id = $1 ORDER BY id`,
      [person.id],
    );
    await stepUp(user, person);

    const answer = await user.post('/v1/users/me/erase', {}, { 'idempotency-key': 'erase me' });

    expect(answer).toMatchObject({
      status: 200,
      body: { userId: person.id, deletedRows: { users: 1, jobs: 1, proposals: expect.any(Number) }, sessionsEnded: 2 },
    });
    const days = (Date.parse(answer.body.backupsHoldItUntil) - Date.parse(answer.body.erasedAt)) / 86_400_000;
    expect(days).toBe(35);
    expect(answer.body.whatStays).toContainEqual(
      expect.objectContaining({ place: 'backups', until: answer.body.backupsHoldItUntil }),
    );
    for (const [table, n] of Object.entries(await countRows(person.id))) {
      if (!LOGS.includes(table)) expect([table, n]).toEqual([table, 0]);
    }
    expect([(await user.get('/v1/users/me')).status, (await elsewhere.get('/v1/users/me')).status]).toEqual([401, 401]);
    expect(
      (await createAnonymousCaller(app).post('/v1/auth/login', { email: person.email, password: person.password }))
        .status,
    ).toBe(401);

    const logs = await app.db.query(
      'superuser',
      `SELECT count(*) FILTER (
           WHERE old_values IS NOT NULL OR new_values IS NOT NULL OR ip_address IS NOT NULL OR reason IS NOT NULL
         ) AS kept, count(*) AS n
       FROM audit_logs WHERE user_id = $1`,
      [person.id],
    );
    expect(logs).toEqual([{ kept: 0, n: answer.body.auditRowsForgotten }]);
    const after = await app.db.query(
      'superuser',
      `SELECT id, encode(audit.values_hash(a), 'hex') AS hash FROM audit_logs a
       WHERE user_id = $1 AND id <= $2 ORDER BY id`,
      [person.id, before.at(-1)!.id],
    );
    expect(after).toEqual(before);
    const [event] = await app.db.query(
      'superuser',
      `SELECT details FROM security_logs WHERE user_id = $1 AND event_type = 'audit.forgotten'`,
      [person.id],
    );
    expect(event).toMatchObject({ details: { auditRows: answer.body.auditRowsForgotten, deletedRows: { users: 1 } } });

    await expectNoTraceOf(person);
    const [email] = await listEmails(admin, person.email);
    expect(email).toMatchObject({
      subject: 'Your account was erased',
      text: expect.stringContaining(answer.body.backupsHoldItUntil),
    });
  });

  /** Asserts that no table and no key or value of Redis contains the address, browser or title of the user. */
  async function expectNoTraceOf({ email }: Credentials): Promise<void> {
    const traces = [email, 'a very particular browser', 'a very particular title'];
    const tables = await app.db.query<{ name: string }>(
      'superuser',
      `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'm') AND n.nspname IN ('public', 'app', 'audit')`,
    );
    for (const { name } of tables) {
      for (const trace of traces) {
        const [row] = await app.db.query(
          'superuser',
          `SELECT count(*) AS n FROM ${name} t WHERE strpos(t::text, $1) > 0`,
          [trace],
        );
        expect([name, trace, row]).toEqual([
          name,
          trace,
          { n: trace === traces[1] && name.startsWith('security_logs') ? expect.any(Number) : 0 },
        ]);
      }
    }
    const keys = await app.redis.keys('*');
    const values = await Promise.all(
      keys.map(async (key) => ((await app.redis.type(key)) === 'hash' ? app.redis.hvals(key) : [])),
    );
    for (const trace of traces.slice(0, 1)) expect(JSON.stringify([keys, values])).not.toContain(trace);
    expect(values.flat()).not.toContain('a very particular title');
  }

  it('is not erased for the last active admin', async () => {
    const person = await createUser(app, { role: 'admin' });
    const only = await signInFrom(app, person);
    await stepUp(only, person);
    const others = `role = 'admin' AND id <> ${person.id}`;
    await app.db.query('superuser', `UPDATE users SET is_active = false WHERE ${others}`);

    expect(await only.post('/v1/users/me/erase')).toMatchObject({ status: 409, body: { code: 'user.last_admin' } });
    expect((await only.get('/v1/users/me')).status).toBe(200);
    await app.db.query('superuser', `UPDATE users SET is_active = true WHERE ${others}`);
    expect((await only.post('/v1/users/me/erase')).status).toBe(200);
  });

  it('includes the security events of the account, in pages, and no others', async () => {
    const person = await createUser(app);
    const user = await signInFrom(app, person);
    await user.post('/v1/auth/step-up', { password: 'not it at all' });
    await stepUp(user, person);

    const first = await user.get('/v1/users/me/security-events?limit=2');
    const rest = await user.get(`/v1/users/me/security-events?limit=2&cursor=${first.body.nextCursor}`);

    expect(
      [...first.body.items, ...rest.body.items].map(({ eventType, success, userId }) => [eventType, success, userId]),
    ).toEqual([
      ['auth.step_up', true, person.id],
      ['auth.step_up', false, person.id],
      ['auth.login', true, person.id],
    ]);
    expect(rest.body.nextCursor).toBeNull();
    expect((await user.get('/v1/users/me/security-events?success=false')).body.items).toHaveLength(1);
    expect((await user.get('/v1/users/me/security-events?userId=1')).status).toBe(400);
  });

  it('has limits, listed with their use', async () => {
    const user = (await createSignedInCaller(app)).withBaseUrl(limited.url);
    await user.get('/v1/users/me');

    const { status, body } = await user.get('/v1/users/me/limits');

    expect(status).toBe(200);
    expect(body.items).toEqual([
      { name: 'requests', limit: 600, used: 2, windowSeconds: 60 },
      { name: 'exports', limit: 10, used: 0, windowSeconds: 3600 },
      { name: 'failedPasswords', limit: 15, used: 0, windowSeconds: 900 },
      { name: 'failedCodes', limit: 15, used: 0, windowSeconds: 900 },
      { name: 'bodyBytes', limit: 1_048_576, used: null, windowSeconds: null },
      { name: 'importBytes', limit: 67_108_864, used: null, windowSeconds: null },
    ]);
  });
});

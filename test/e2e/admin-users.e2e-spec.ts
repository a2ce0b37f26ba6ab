import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, createUser, enableTotp, type SignedInCaller, signInFrom } from '../support/accounts';
import type { Caller } from '../support/caller';
import { listEmails } from '../support/emails';
import { waitFor } from '../support/wait-for';

describe('user administration', () => {
  let app: TestApp;
  let second: TestApp;
  let admin: SignedInCaller;

  beforeAll(async () => {
    app = await startApp();
    second = await startApp({ sharedWith: app });
    admin = await createSignedInCaller(app, { role: 'admin' });
  });
  afterAll(async () => {
    await second.close();
    await app.close();
  });

  const getStatus = async (user: Caller): Promise<number> => (await user.get('/v1/users/me')).status;

  const listAuditRows = (userId: number): Promise<object[]> =>
    app.db.query(
      'superuser',
      `SELECT table_name AS "table", actor_kind AS "actorKind", actor_id AS "actorId", reason, new_values AS "new"
       FROM audit_logs WHERE user_id = $1 AND action = 'UPDATE' ORDER BY id DESC LIMIT 2`,
      [userId],
    );

  it('lists users newest first and finds them by email, name, role and state', async () => {
    const ownApp = await startApp();
    const ownAdmin = await createSignedInCaller(ownApp, { role: 'admin' });
    const [ann, bob] = [
      await createSignedInCaller(ownApp, { email: 'Ann.Search@example.com' }),
      await createSignedInCaller(ownApp, { email: 'bob_100%@example.com' }),
    ];

    const all = await ownAdmin.get('/v1/admin/users?limit=2');
    const next = await ownAdmin.get(`/v1/admin/users?limit=2&cursor=${all.body.nextCursor}`);

    expect([...all.body.items, ...next.body.items].map(({ id }) => id)).toEqual([bob.id, ann.id, ownAdmin.id]);
    expect(Object.keys(all.body.items[0])).toEqual([
      'id',
      'email',
      'firstName',
      'lastName',
      'role',
      'isActive',
      'isVerified',
      'mfaEnabled',
      'createdAt',
      'updatedAt',
    ]);
    const findIds = async (query: string): Promise<number[]> =>
      (await ownAdmin.get(`/v1/admin/users?${query}`)).body.items.map(({ id }: { id: number }) => id);
    expect(await findIds('q=ann.search')).toEqual([ann.id]);
    expect(await findIds('q=100%25')).toEqual([bob.id]);
    expect(await findIds('q=OTHER')).toHaveLength(3);
    expect(await findIds('role=admin')).toEqual([ownAdmin.id]);
    expect(await findIds('isActive=false')).toEqual([]);
    expect((await ann.get('/v1/admin/users')).status).toBe(403);
    await ownApp.close();
  });

  it('deactivates a user at once and everywhere, with a reason, and reactivates them', async () => {
    const person = await createUser(app);
    const user = await signInFrom(app, person);
    expect(await getStatus(user.withBaseUrl(second.url))).toBe(200);

    const answer = await admin.patch(`/v1/admin/users/${person.id}`, {
      isActive: false,
      reason: 'the laptop was stolen',
    });

    expect(answer).toMatchObject({ status: 200, body: { id: person.id, isActive: false, role: 'user' } });
    expect(await getStatus(user)).toBe(401);
    await waitFor(
      'the other process receives the message',
      async () => (await getStatus(user.withBaseUrl(second.url))) === 401,
    );
    await expect(signInFrom(app, person)).rejects.toThrow('401');
    expect(await listAuditRows(person.id)).toMatchObject([
      {
        table: 'users',
        actorKind: 'admin',
        actorId: admin.id,
        reason: `change user ${person.id}: the laptop was stolen`,
        new: { is_active: false },
      },
    ]);
    expect(
      (await admin.patch(`/v1/admin/users/${person.id}`, { isActive: true, reason: 'the laptop was replaced' })).body
        .isActive,
    ).toBe(true);
    expect(await getStatus(user)).toBe(401);
    expect(await getStatus(await signInFrom(app, person))).toBe(200);
  });

  it('applies a new role to the next request and ends the sessions', async () => {
    const person = await createUser(app);
    const user = await signInFrom(app, person);

    expect(
      (await admin.patch(`/v1/admin/users/${person.id}`, { role: 'admin', reason: 'joins the team' })).body.role,
    ).toBe('admin');
    expect(await getStatus(user)).toBe(401);
    const promoted = await signInFrom(app, person);
    expect((await promoted.get('/v1/admin/users')).status).toBe(200);
    await admin.patch(`/v1/admin/users/${person.id}`, { role: 'user', reason: 'left the team' });

    expect((await promoted.get('/v1/admin/users')).status).toBe(401);
    expect((await (await signInFrom(app, person)).get('/v1/admin/users')).status).toBe(403);
  });

  it('ends all sessions, also those restored in Redis', async () => {
    const user = await createSignedInCaller(app);
    const dump = await app.redis.dumpBuffer(`session:${user.sessionId}`);

    expect(
      (await admin.delete(`/v1/admin/users/${user.id}/sessions`, { reason: 'requested by the user' })).status,
    ).toBe(204);

    expect(await getStatus(user)).toBe(401);
    await app.redis.restore(`session:${user.sessionId}`, 0, dump);
    expect(await getStatus(user.withBaseUrl(second.url))).toBe(401);
    expect(await listAuditRows(user.id)).toMatchObject([
      { actorId: admin.id, reason: `end the sessions of user ${user.id}: requested by the user` },
    ]);
    expect((await listEmails(admin, user.email))[0]?.subject).toBe('Your sessions were ended by an admin');
    expect((await admin.delete(`/v1/admin/users/${user.id}/sessions`)).status).toBe(204);
  });

  it('resets a lost second factor: the password alone is enough, and the user is notified', async () => {
    const person = await createUser(app);
    const user = await signInFrom(app, person);
    await enableTotp(user, person);

    const answer = await admin.post(
      `/v1/admin/users/${person.id}/reset-mfa`,
      { reason: 'lost phone' },
      { 'idempotency-key': 'once' },
    );

    expect(answer).toMatchObject({ status: 200, body: { id: person.id, mfaEnabled: false } });
    expect(await getStatus(user)).toBe(401);
    const again = await signInFrom(app, person);
    expect((await again.get('/v1/auth/mfa')).body).toEqual({ totpEnabled: false, backupCodesLeft: 0 });
    expect((await listEmails(admin, person.email))[0]?.subject).toBe('Two-factor sign-in was turned off by an admin');
    const audit = JSON.stringify(await listAuditRows(person.id));
    expect(audit).toContain('lost phone');
    expect(audit).toContain('[redacted]');
    expect(await admin.post(`/v1/admin/users/${person.id}/reset-mfa`, {})).toMatchObject({
      status: 409,
      body: { code: 'mfa.not_enabled' },
    });
  });

  it.each<[string, object, number, string]>([
    ['without a reason', { isActive: false }, 400, '/reason'],
    ['with an empty reason', { isActive: false, reason: ' ' }, 400, '/reason'],
    ['with nothing to change', { reason: 'why not' }, 400, ''],
    ['with an unknown role', { role: 'root', reason: 'why not' }, 400, '/role'],
    ['with a password', { password: 'chosen by the admin', reason: 'why not' }, 400, '/password'],
  ])('rejects a change %s', async (_, body, status, pointer) => {
    const user = await createSignedInCaller(app);

    const answer = await admin.patch(`/v1/admin/users/${user.id}`, body);

    expect([answer.status, answer.body.errors[0].pointer]).toEqual([status, pointer]);
    expect(await getStatus(user)).toBe(200);
  });

  it('shows users which admin read or changed their data, and by which request', async () => {
    const user = await createSignedInCaller(app);

    await admin.patch(`/v1/admin/users/${user.id}`, { isActive: true, reason: 'no change' });
    await admin.get(`/v1/admin/audit/logs?userId=${user.id}`);
    await admin.get(`/v1/admin/security-logs?userId=${user.id}`);
    await admin.get(`/v1/admin/audit/logs?userId=${admin.id}`);

    const { items } = (await user.get('/v1/users/me/security-events?eventType=account.admin_access')).body;
    const accesses = (
      items as unknown as { details: object; ipAddress: string | null; userAgent: string | null }[]
    ).map(({ details, ipAddress, userAgent }) => ({ details, ipAddress, userAgent }));
    const operations = ['GET /v1/admin/security-logs', 'GET /v1/admin/audit/logs', 'PATCH /v1/admin/users/:id'];
    expect(accesses).toEqual(
      operations.map((operation) => ({ details: { adminId: admin.id, operation }, ipAddress: null, userAgent: null })),
    );
    const own = await admin.get('/v1/users/me/security-events?eventType=account.admin_access');
    expect(own.body.items).toEqual([]);
  });

  it('answers 404 for unknown users', async () => {
    const reason = 'why not';

    expect((await admin.patch('/v1/admin/users/999999', { isActive: false, reason })).body.code).toBe('user.not_found');
    expect((await admin.delete('/v1/admin/users/999999/sessions')).body.code).toBe('user.not_found');
    expect((await admin.post('/v1/admin/users/999999/reset-mfa')).body.code).toBe('user.not_found');
    await admin.get('/v1/admin/audit/logs?userId=999999');
    expect(await app.db.query('superuser', 'SELECT FROM security_logs WHERE user_id = 999999')).toEqual([]);
  });

  it('keeps at least one active admin, also when two demote each other at once', async () => {
    const ownApp = await startApp();
    const [one, two] = [
      await createSignedInCaller(ownApp, { role: 'admin' }),
      await createSignedInCaller(ownApp, { role: 'admin' }),
    ];
    const demote = (by: Caller, id: number) =>
      by.patch(`/v1/admin/users/${id}`, { role: 'user', reason: 'there can be only one' });

    const answers = await Promise.all([demote(one, two.id), demote(two, one.id)]);

    // 401 when the first request ended before the second was authenticated: demoting ends the sessions.
    const [best, other] = answers.map(({ status }) => status).sort();
    expect(best).toBe(200);
    expect([401, 409]).toContain(other);
    const admins = await ownApp.db.query(
      'superuser',
      `SELECT count(*) AS n FROM users WHERE role = 'admin' AND is_active`,
    );
    expect(admins).toEqual([{ n: 1 }]);
    await ownApp.close();
  });
});

import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, createUser, enableTotp, type SignedInCaller, signInFrom } from '../support/accounts';
import type { Caller } from '../support/caller';
import { listEmails } from '../support/emails';

describe('users in the hands of an admin', () => {
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

  const statusOf = async (user: Caller): Promise<number> => (await user.get('/v1/users/me')).status;

  const auditOf = (userId: number): Promise<object[]> =>
    app.db.query(
      'superuser',
      `SELECT table_name AS "table", actor_kind AS "actorKind", actor_id AS "actorId", reason, new_values AS "new" FROM audit_logs
       WHERE user_id = $1 AND action = 'UPDATE' ORDER BY id DESC LIMIT 2`,
      [userId],
    );

  it('are listed newest first and found by address, name, role and standing', async () => {
    const own = await startApp();
    const chief = await createSignedInCaller(own, { role: 'admin' });
    const [ann, bob] = [
      await createSignedInCaller(own, { email: 'Ann.Search@example.com' }),
      await createSignedInCaller(own, { email: 'bob_100%@example.com' }),
    ];

    const all = await chief.get('/v1/admin/users?limit=2');
    const next = await chief.get(`/v1/admin/users?limit=2&cursor=${all.body.nextCursor}`);

    expect([...all.body.items, ...next.body.items].map(({ id }) => id)).toEqual([bob.id, ann.id, chief.id]);
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
    const found = async (query: string): Promise<number[]> =>
      (await chief.get(`/v1/admin/users?${query}`)).body.items.map(({ id }: { id: number }) => id);
    expect(await found('q=ann.search')).toEqual([ann.id]);
    expect(await found('q=100%25')).toEqual([bob.id]);
    expect(await found('q=OTHER')).toHaveLength(3);
    expect(await found('role=admin')).toEqual([chief.id]);
    expect(await found('isActive=false')).toEqual([]);
    expect((await ann.get('/v1/admin/users')).status).toBe(403);
    await own.close();
  });

  it('are deactivated with a reason, at once and everywhere, and let in again', async () => {
    const person = await createUser(app);
    const user = await signInFrom(app, person);
    expect(await statusOf(user.withBaseUrl(second.url))).toBe(200);

    const answer = await admin.patch(`/v1/admin/users/${person.id}`, {
      isActive: false,
      reason: 'his laptop was stolen',
    });

    expect(answer).toMatchObject({ status: 200, body: { id: person.id, isActive: false, role: 'user' } });
    expect(await statusOf(user)).toBe(401);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await statusOf(user.withBaseUrl(second.url))).toBe(401);
    await expect(signInFrom(app, person)).rejects.toThrow('401');
    expect(await auditOf(person.id)).toMatchObject([
      {
        table: 'users',
        actorKind: 'admin',
        actorId: admin.id,
        reason: `change user ${person.id}: his laptop was stolen`,
        new: { is_active: false },
      },
    ]);
    expect(
      (await admin.patch(`/v1/admin/users/${person.id}`, { isActive: true, reason: 'he has a new one' })).body.isActive,
    ).toBe(true);
    expect(await statusOf(user)).toBe(401);
    expect(await statusOf(await signInFrom(app, person))).toBe(200);
  });

  it('change in role by the next request, and their sessions end', async () => {
    const person = await createUser(app);
    const user = await signInFrom(app, person);

    expect(
      (await admin.patch(`/v1/admin/users/${person.id}`, { role: 'admin', reason: 'she helps out' })).body.role,
    ).toBe('admin');
    expect(await statusOf(user)).toBe(401);
    const promoted = await signInFrom(app, person);
    expect((await promoted.get('/v1/admin/users')).status).toBe(200);
    await admin.patch(`/v1/admin/users/${person.id}`, { role: 'user', reason: 'she does not any more' });

    expect((await promoted.get('/v1/admin/users')).status).toBe(401);
    expect((await (await signInFrom(app, person)).get('/v1/admin/users')).status).toBe(403);
  });

  it('lose all sessions, also those a Redis brings back', async () => {
    const user = await createSignedInCaller(app);
    const dump = await app.redis.dumpBuffer(`session:${user.sessionId}`);

    expect((await admin.delete(`/v1/admin/users/${user.id}/sessions`, { reason: 'he asked for it' })).status).toBe(204);

    expect(await statusOf(user)).toBe(401);
    await app.redis.restore(`session:${user.sessionId}`, 0, dump);
    expect(await statusOf(user.withBaseUrl(second.url))).toBe(401);
    expect(await auditOf(user.id)).toMatchObject([
      { actorId: admin.id, reason: `end the sessions of user ${user.id}: he asked for it` },
    ]);
    expect((await listEmails(admin, user.email))[0]?.subject).toBe('Your sessions were ended by an admin');
    expect((await admin.delete(`/v1/admin/users/${user.id}/sessions`)).status).toBe(204);
  });

  it('who have lost their second factor get in by the password alone, and are told', async () => {
    const person = await createUser(app);
    const user = await signInFrom(app, person);
    await enableTotp(user, person);

    const answer = await admin.post(
      `/v1/admin/users/${person.id}/reset-mfa`,
      { reason: 'lost his phone' },
      { 'idempotency-key': 'once' },
    );

    expect(answer).toMatchObject({ status: 200, body: { id: person.id, mfaEnabled: false } });
    expect(await statusOf(user)).toBe(401);
    const again = await signInFrom(app, person);
    expect((await again.get('/v1/auth/mfa')).body).toEqual({ totpEnabled: false, backupCodesLeft: 0 });
    expect((await listEmails(admin, person.email))[0]?.subject).toBe('Two-factor sign-in was turned off by an admin');
    const audit = JSON.stringify(await auditOf(person.id));
    expect(audit).toContain('lost his phone');
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
    ['with a role nobody has', { role: 'root', reason: 'why not' }, 400, '/role'],
    ['with a password', { password: 'chosen by the admin', reason: 'why not' }, 400, '/password'],
  ])('are not changed %s', async (_, body, status, pointer) => {
    const user = await createSignedInCaller(app);

    const answer = await admin.patch(`/v1/admin/users/${user.id}`, body);

    expect([answer.status, answer.body.errors[0].pointer]).toEqual([status, pointer]);
    expect(await statusOf(user)).toBe(200);
  });

  it('who are not there are not found', async () => {
    const reason = 'why not';

    expect((await admin.patch('/v1/admin/users/999999', { isActive: false, reason })).body.code).toBe('user.not_found');
    expect((await admin.delete('/v1/admin/users/999999/sessions')).body.code).toBe('user.not_found');
    expect((await admin.post('/v1/admin/users/999999/reset-mfa')).body.code).toBe('user.not_found');
  });

  it('keep at least one active admin, also when two demote each other at once', async () => {
    const own = await startApp();
    const [one, two] = [
      await createSignedInCaller(own, { role: 'admin' }),
      await createSignedInCaller(own, { role: 'admin' }),
    ];
    const demote = (by: Caller, id: number) =>
      by.patch(`/v1/admin/users/${id}`, { role: 'user', reason: 'there can be only one' });

    const answers = await Promise.all([demote(one, two.id), demote(two, one.id)]);

    // 401 when the first was through before the second was let in: who is no admin any more has no session either.
    const [best, other] = answers.map(({ status }) => status).sort();
    expect(best).toBe(200);
    expect([401, 409]).toContain(other);
    const admins = await own.db.query(
      'superuser',
      `SELECT count(*) AS n FROM users WHERE role = 'admin' AND is_active`,
    );
    expect(admins).toEqual([{ n: 1 }]);
    await own.close();
  });
});

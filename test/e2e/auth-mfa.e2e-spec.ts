import speakeasy from 'speakeasy';
import { startApp, type TestApp } from '../support/test-app';
import {
  createAnonymousCaller,
  createSignedInCaller,
  createUser,
  type Credentials,
  enableTotp,
  signInFrom,
} from '../support/accounts';
import { Caller } from '../support/caller';
import { listEmails, findToken } from '../support/emails';
import { freezeDate } from '../support/frozen-date';

describe('two-factor sign-in', () => {
  let app: TestApp;
  let anonymous: Caller;

  beforeAll(async () => {
    app = await startApp();
    anonymous = createAnonymousCaller(app);
  });
  // A code is accepted for 30 to 60 s only.
  beforeEach(() => void freezeDate());
  afterEach(() => jest.useRealTimers());
  afterAll(() => app.close());

  async function createUserWithMfa() {
    const person = await createUser(app);
    const user = await signInFrom(app, person);
    return { person, user, ...(await enableTotp(user, person)) };
  }

  async function requestMfaToken({ email, password }: Credentials): Promise<string> {
    const { status, body } = await anonymous.post('/v1/auth/login', { email, password });
    expect([status, Object.keys(body)]).toEqual([200, ['mfaRequired', 'mfaToken']]);
    return body.mfaToken;
  }

  const sortStatuses = (answers: { status: number }[]): number[] => answers.map(({ status }) => status).sort();

  it('covers the whole flow: secret, first code, backup codes, sign-in with a code', async () => {
    const person = await createUser(app);
    const user = await signInFrom(app, person);
    expect((await user.get('/v1/auth/mfa')).body).toEqual({ totpEnabled: false, backupCodesLeft: 0 });

    const enrolment = await user.post('/v1/auth/mfa/totp', { password: person.password });
    expect(enrolment.body.secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(enrolment.body.otpauthUrl).toContain(`secret=${enrolment.body.secret}`);
    expect(Buffer.from(enrolment.body.qrCode.split(',')[1], 'base64').toString()).toMatch(/^<svg /);
    const { authenticator, backupCodes } = await enableTotp(user, person);
    expect(new Set(backupCodes).size).toBe(10);
    expect((await user.get('/v1/auth/mfa')).body).toEqual({ totpEnabled: true, backupCodesLeft: 10 });

    const mfaToken = await requestMfaToken(person);
    const done = await anonymous.post('/v1/auth/login/mfa', { mfaToken, code: authenticator.generateCode() });

    expect(done).toMatchObject({ status: 200, body: { expiresIn: 900 } });
    expect((await new Caller(app.url, done.body.accessToken).get('/v1/users/me')).body.email).toBe(person.email);
    expect((await new Caller(app.url, mfaToken).get('/v1/users/me')).status).toBe(401);
  });

  it('accepts one of eight parallel sign-ins with one code', async () => {
    const { person, authenticator } = await createUserWithMfa();
    const tokens = await Promise.all(Array.from({ length: 8 }, () => requestMfaToken(person)));

    const answers = await Promise.all(
      tokens.map((mfaToken) => anonymous.post('/v1/auth/login/mfa', { mfaToken, code: authenticator.generateCode() })),
    );

    expect(sortStatuses(answers)).toEqual([200, 401, 401, 401, 401, 401, 401, 401]);
  });

  it('accepts one of eight parallel uses of one backup code, and counts it', async () => {
    const { person, user, backupCodes } = await createUserWithMfa();
    const tokens = await Promise.all(Array.from({ length: 8 }, () => requestMfaToken(person)));

    const answers = await Promise.all(
      tokens.map((mfaToken) =>
        anonymous.post('/v1/auth/login/mfa', { mfaToken, backupCode: backupCodes[3]?.toLowerCase() }),
      ),
    );

    expect(sortStatuses(answers)).toEqual([200, 401, 401, 401, 401, 401, 401, 401]);
    expect((await user.get('/v1/auth/mfa')).body.backupCodesLeft).toBe(9);
  });

  it('starts one session per mfaToken', async () => {
    const { person, backupCodes } = await createUserWithMfa();
    const mfaToken = await requestMfaToken(person);

    const answers = await Promise.all(
      backupCodes.slice(0, 4).map((backupCode) => anonymous.post('/v1/auth/login/mfa', { mfaToken, backupCode })),
    );

    expect(sortStatuses(answers)).toEqual([200, 401, 401, 401]);
  });

  it('rejects the code of the enrolment, and older ones, at sign-in', async () => {
    const { person, authenticator } = await createUserWithMfa();
    const mfaToken = await requestMfaToken(person);

    const used = await anonymous.post('/v1/auth/login/mfa', { mfaToken, code: authenticator.generateCode(0) });

    expect(used).toMatchObject({ status: 401, body: { code: 'auth.code_invalid' } });
  });

  it.each([
    ['none', null],
    ['empty', ''],
    ['undecryptable', 'v1.test.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
    ['of another user', 'other'],
  ])('rejects the code of the empty secret when the stored one is %s', async (_, stored) => {
    const { person } = await createUserWithMfa();
    const other = await createUserWithMfa();
    await app.db.query('superuser', `ALTER TABLE user_mfa DROP CONSTRAINT IF EXISTS user_mfa_enabled_has_secret`);
    await app.db.query(
      'superuser',
      `UPDATE user_mfa SET last_totp_step = NULL, encrypted_totp_secret =
         CASE WHEN $2 = 'other' THEN (SELECT encrypted_totp_secret FROM user_mfa WHERE user_id = $3) ELSE $2 END
        WHERE user_id = $1`,
      [person.id, stored, other.person.id],
    );
    const mfaToken = await requestMfaToken(person);

    for (const code of [
      speakeasy.totp({ secret: '', encoding: 'base32' }),
      speakeasy.totp({ secret: '' }),
      other.authenticator.generateCode(),
    ]) {
      expect((await anonymous.post('/v1/auth/login/mfa', { mfaToken, code })).status).toBe(401);
    }
  });

  it('stores neither secret nor backup codes in plain text', async () => {
    const person = await createUser(app);
    const user = await signInFrom(app, person);
    const { body } = await user.post('/v1/auth/mfa/totp', { password: person.password });
    const { backupCodes } = await enableTotp(user, person);

    const [row] = await app.db.query<{ dump: string }>(
      'superuser',
      `SELECT string_agg(t::text, ' ') AS dump FROM (
         SELECT m::text AS t FROM user_mfa m WHERE user_id = $1
         UNION ALL SELECT a::text FROM audit_logs a WHERE user_id = $1
         UNION ALL SELECT s::text FROM security_logs s WHERE user_id = $1) t`,
      [person.id],
    );

    for (const secret of [body.secret, ...backupCodes]) expect(row?.dump).not.toContain(secret);
    expect(row?.dump).toContain('[redacted]');
  });

  it('replaces backup codes with password and code, and rejects the old ones', async () => {
    const { person, user, authenticator, backupCodes } = await createUserWithMfa();
    const { password } = person;

    const wrong = await user.post('/v1/auth/mfa/backup-codes', {
      password: 'not it at all',
      code: authenticator.generateCode(),
    });
    const replaced = await user.post('/v1/auth/mfa/backup-codes', { password, code: authenticator.generateCode() });

    expect([wrong.status, replaced.status]).toEqual([401, 200]);
    const mfaToken = await requestMfaToken(person);
    expect((await anonymous.post('/v1/auth/login/mfa', { mfaToken, backupCode: backupCodes[0] })).status).toBe(401);
    const done = await anonymous.post('/v1/auth/login/mfa', { mfaToken, backupCode: replaced.body.backupCodes[0] });
    expect(done.status).toBe(200);
  });

  it('is turned off with password and code, and on again only with another secret', async () => {
    const { person, user, authenticator, backupCodes } = await createUserWithMfa();
    const { password } = person;
    expect((await user.post('/v1/auth/mfa/totp', { password })).body.code).toBe('mfa.already_enabled');
    expect((await user.post('/v1/auth/mfa/totp/confirm', { code: authenticator.generateCode() })).body.code).toBe(
      'mfa.already_enabled',
    );

    expect((await user.post('/v1/auth/mfa/totp/disable', { password, code: '000000' })).status).toBe(401);
    expect((await user.post('/v1/auth/mfa/totp/disable', { password, code: backupCodes[9] })).status).toBe(204);

    expect((await user.get('/v1/auth/mfa')).body).toEqual({ totpEnabled: false, backupCodesLeft: 0 });
    expect((await user.post('/v1/auth/mfa/totp/confirm', { code: authenticator.generateCode() })).body.code).toBe(
      'mfa.not_enrolled',
    );
    expect((await user.post('/v1/auth/mfa/backup-codes', { password, code: '000000' })).body.code).toBe(
      'mfa.not_enabled',
    );
    await signInFrom(app, person);
  });

  it('requires exactly one well-formed code', async () => {
    const { person, backupCodes } = await createUserWithMfa();
    const mfaToken = await requestMfaToken(person);

    for (const codes of [
      {},
      { code: '123456', backupCode: backupCodes[0] },
      { code: 123456 },
      { code: ['123456'] },
      { code: '12345' },
    ]) {
      const answer = await anonymous.post('/v1/auth/login/mfa', { mfaToken, ...codes });
      expect([codes, answer.status, answer.body.errors[0].pointer]).toEqual([codes, 400, '/code']);
    }
    const unknown = await anonymous.post('/v1/auth/login/mfa', { mfaToken: 'x.y.z', code: '123456' });
    expect(unknown).toMatchObject({ status: 401, body: { code: 'auth.token_invalid' } });
  });

  it('is not bypassed by a password reset', async () => {
    const { person } = await createUserWithMfa();
    const admin = await createSignedInCaller(app, { role: 'admin' });
    await anonymous.post('/v1/auth/password/forgot', { email: person.email });
    const token = findToken((await listEmails(admin, person.email))[0]);

    expect((await anonymous.post('/v1/auth/password/reset', { token, password: 'eight blue bicycles' })).status).toBe(
      204,
    );

    await requestMfaToken({ ...person, password: 'eight blue bicycles' });
  });

  it('opens admin routes only after a step-up with a code', async () => {
    const person = await createUser(app, { role: 'admin' });
    const admin = await signInFrom(app, person);
    expect((await admin.get('/v1/dev/outbox')).status).toBe(200);
    const { authenticator, backupCodes } = await enableTotp(admin, person);

    const { password } = person;
    expect(await admin.get('/v1/dev/outbox')).toMatchObject({ status: 403, body: { code: 'auth.step_up_required' } });
    expect((await admin.post('/v1/auth/step-up', { password })).body.errors[0].pointer).toBe('/code');
    expect((await admin.post('/v1/auth/step-up', { password, code: '000000' })).body.code).toBe('auth.code_invalid');
    expect((await admin.post('/v1/auth/step-up', { password, code: authenticator.generateCode() })).status).toBe(204);

    expect((await admin.get('/v1/dev/outbox')).status).toBe(200);
    expect((await admin.post('/v1/auth/step-up', { password, code: backupCodes[0] })).status).toBe(204);
  });
});

import { randomUUID } from 'node:crypto';
import { startApp, type TestApp } from '../support/test-app';
import {
  Authenticator,
  createAnonymousCaller,
  createSignedInCaller,
  createUser,
  type SignedInCaller,
  signInFrom,
} from '../support/accounts';
import type { Caller } from '../support/caller';
import { freezeDate } from '../support/frozen-date';

const PASSWORD = 'seven green umbrellas';

describe('tolerant input of credentials', () => {
  let app: TestApp;
  let anonymous: Caller;
  let admin: SignedInCaller;

  beforeAll(async () => {
    app = await startApp();
    anonymous = createAnonymousCaller(app);
    admin = await createSignedInCaller(app, { role: 'admin' });
  });
  afterEach(() => jest.useRealTimers());
  afterAll(() => app.close());

  const listEmailsTo = async (address: string): Promise<{ to: string; text: string }[]> =>
    (await admin.get(`/v1/dev/outbox?to=${encodeURIComponent(address)}`)).body.items;

  const findAccounts = (local: string): Promise<{ email: string; ascii_domain: string | null }[]> =>
    app.db.query('superuser', `SELECT email, ascii_domain FROM users WHERE email LIKE $1 || '@%'`, [local]);

  const register = async (email: string): Promise<number> =>
    (await anonymous.post('/v1/auth/register', { email, password: PASSWORD })).status;

  const verify = async (email: string): Promise<void> => {
    const [latest] = await listEmailsTo(email);
    const [, token] = /token=([A-Za-z0-9_-]+)/.exec(latest!.text)!;
    expect((await anonymous.post('/v1/auth/verify-email', { token, password: PASSWORD })).status).toBe(204);
  };

  describe('codes', () => {
    const addSpaces = (code: string): string => ` ${code.slice(0, 3)} ${code.slice(3)}`;

    it('are accepted with the spaces that authenticators show, on every route', async () => {
      // A code is accepted for 30 to 60 s only.
      freezeDate();
      const person = await createUser(app);
      const user = await signInFrom(app, person);
      const { body: enrolment } = await user.post('/v1/auth/mfa/totp', { password: PASSWORD });
      const authenticator = new Authenticator(enrolment.secret);
      const confirmed = await user.post('/v1/auth/mfa/totp/confirm', {
        code: addSpaces(authenticator.generateCode(-1)),
      });
      const { body: challenge } = await anonymous.post('/v1/auth/login', { email: person.email, password: PASSWORD });
      const signedInByCode = await anonymous.post('/v1/auth/login/mfa', {
        mfaToken: challenge.mfaToken,
        code: addSpaces(authenticator.generateCode(0)),
      });
      const stepUp = await user.post('/v1/auth/step-up', {
        password: PASSWORD,
        code: addSpaces(authenticator.generateCode(1)),
      });
      const [backupCode, another] = confirmed.body.backupCodes as [string, string];
      const { body: second } = await anonymous.post('/v1/auth/login', { email: person.email, password: PASSWORD });
      const byBackupCode = await anonymous.post('/v1/auth/login/mfa', {
        mfaToken: second.mfaToken,
        backupCode: ` ${backupCode.replaceAll('-', ' - ')} `,
      });
      const replaced = await user.post('/v1/auth/mfa/backup-codes', { password: PASSWORD, code: `${another} ` });

      expect([confirmed.status, signedInByCode.status, stepUp.status, byBackupCode.status, replaced.status]).toEqual([
        200, 200, 204, 200, 200,
      ]);
      const tooFew = await user.post('/v1/auth/mfa/totp/confirm', { code: '12 345' });
      expect([tooFew.status, tooFew.body.errors[0].pointer]).toEqual([400, '/code']);
    });
  });

  describe('addresses', () => {
    it.each([
      ['bücher.example', 'xn--bcher-kva.example'],
      ['xn--bcher-kva.example', 'bücher.example'],
    ])('%s and %s are one domain and one account, with emails to the address given first', async (first, second) => {
      const local = randomUUID();
      const [given, other] = [`${local}@${first}`, `${local}@${second}`];

      expect([await register(given), await register(other)]).toEqual([202, 202]);
      expect((await findAccounts(local)).map(({ email }) => email)).toEqual([given]);
      await verify(other);
      expect(await register(other.toUpperCase())).toBe(202);
      const emails = await listEmailsTo(other);
      const reset = await anonymous.post('/v1/auth/password/forgot', { email: other });
      const signedInByOther = await anonymous.post('/v1/auth/login', { email: other, password: PASSWORD });
      const me = await anonymous.post('/v1/auth/login', { email: given, password: PASSWORD });

      expect(emails.map(({ to }) => to)).toEqual([given, given, given]);
      expect([reset.status, signedInByOther.status, me.status]).toEqual([202, 200, 200]);
      expect((await listEmailsTo(given))[0]!.to).toBe(given);
    });

    it('lose surrounding white space and are rejected with invisible characters and quotation marks', async () => {
      const local = randomUUID();

      expect(await register(` ${local}@example.org\t`)).toBe(202);
      expect(await findAccounts(local)).toEqual([{ email: `${local}@example.org`, ascii_domain: null }]);
      for (const email of [
        `${local}\u200b@example.org`,
        `\u202e${local}@example.org`,
        `${local}\u2800@example.org`,
        `"${local}"@example.org`,
        '"a b"@example.org',
        '"a@b"@example.org',
      ]) {
        const { status, body } = await anonymous.post('/v1/auth/register', { email, password: PASSWORD });
        expect([status, body.errors[0].pointer]).toEqual([400, '/email']);
        expect(body.errors.map(({ message }: { message: string }) => message).join()).toContain('email');
      }
      expect(await findAccounts(local)).toHaveLength(1);
    });
  });

  it('says that a password is too common', async () => {
    const { status, body } = await anonymous.post('/v1/auth/register', {
      email: `${randomUUID()}@example.org`,
      password: 'P@ssw0rd',
    });

    expect([status, body.code, body.errors[0].pointer]).toEqual([400, 'password.unfit', '/password']);
    expect(body.detail).toBe(
      'This password is too common (even without its digits and punctuation). Choose another one.',
    );
  });
});

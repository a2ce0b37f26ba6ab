import { randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FakeUpwork } from '../../../src/demo/fake-upwork/fake-upwork';
import { Caller, type Answer } from '../../support/caller';
import { listEmails, findToken } from '../../support/emails';
import { Authenticator } from '../../support/accounts';
import type { Canary } from './canary-encodings';

/** Creates a secret that every encoding writes differently. */
export function createCanary(): string {
  return `canary "${randomBytes(9).toString('base64')}" & gäll+/=`;
}

/** Creates a secret of characters that a token may have, which still differ between encodings. */
function createTokenCanary(): string {
  return `canary-"${randomBytes(9).toString('base64')}"&<+/=`;
}

/** A provider that refuses a key and, as real ones do, quotes it. */
export async function startEchoingVendor(): Promise<{ readonly url: string; stop(): void }> {
  const server = createServer((request, response) => {
    const quoted = request.headers.authorization ?? '';
    response
      .writeHead(401, { 'content-type': 'application/json' })
      .end(
        JSON.stringify({ error: { message: `Incorrect API key provided: ${quoted}`, type: 'invalid_request_error' } }),
      );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, stop: () => server.close() };
}

/**
 * Sends a secret to every endpoint that accepts one, validly and invalidly, and collects what must not appear anywhere,
 * with all responses except those that return a secret to its owner.
 */
export class CanaryEndpoints {
  readonly canaries: Canary[] = [];
  readonly answers: Answer[] = [];
  private readonly email = `${randomUUID()}@example.org`;
  private password = createCanary();
  private readonly anonymousCaller: Caller;

  constructor(
    private readonly url: string,
    private readonly admin: Caller,
    private readonly upwork: FakeUpwork,
  ) {
    this.anonymousCaller = new Caller(url);
    this.collectCanary();
  }

  /** Adds a secret to the search, and returns it. */
  recordAnswer(name: string, value: string): string {
    this.canaries.push({ name, value });
    return value;
  }

  async callAll(): Promise<void> {
    await this.callRegistration();
    const user = await this.callSessions();
    await this.callMfa(user);
    await this.callPasswords(user);
    await this.callConnections(user);
    await this.callWebhooks(user);
    await this.callAuthorization(user);
    await this.callInvalidRequests(user);
    await this.callDashboard();
  }

  private async addCanary(answer: Promise<Answer>): Promise<Answer> {
    const said = await answer;
    this.answers.push(said);
    return said;
  }

  /** Lists what the fake provider received and returned. */
  private collectCanary(): void {
    const { grants } = this.upwork;
    const answer = grants.respond.bind(grants);
    grants.respond = (form) => {
      for (const name of ['code', 'code_verifier', 'refresh_token']) {
        const value = form.get(name);
        if (value !== null) this.recordAnswer(`${name} of the provider`, value);
      }
      const given = answer(form);
      for (const name of ['access_token', 'refresh_token']) {
        const value = given.body[name];
        if (typeof value === 'string') this.recordAnswer(`${name} from the provider`, value);
      }
      return given;
    };
  }

  private async callRegistration(): Promise<void> {
    this.recordAnswer('password', this.password);
    await this.addCanary(
      this.anonymousCaller.post('/v1/auth/register', { email: this.email, password: this.password, unknown: 1 }),
    );
    await this.addCanary(
      this.anonymousCaller.post('/v1/auth/register', {
        email: 'no address',
        password: this.recordAnswer('password of no address', createCanary()),
      }),
    );
    await this.addCanary(
      this.anonymousCaller.post('/v1/auth/register', {
        email: this.email,
        password: [this.recordAnswer('password in a list', createCanary())],
      }),
    );
    await this.addCanary(
      this.anonymousCaller.post(
        '/v1/auth/register',
        `{"email": "x", "password": "${this.recordAnswer('password in broken JSON', 'canary-broken-json-51a7')}"`,
      ),
    );
    await this.addCanary(
      this.anonymousCaller.post('/v1/auth/register', { email: this.email, password: this.password }),
    );
    const token = this.recordAnswer('link of a mail', await this.findLatestToken());
    await this.addCanary(this.anonymousCaller.get(`/verify-email?token=${token}`));
    await this.addCanary(this.anonymousCaller.post('/v1/auth/verify-email', { token, password: this.password }));
    await this.addCanary(this.anonymousCaller.post('/v1/auth/verify-email', { token, password: this.password }));
  }

  private async callSessions(): Promise<Caller> {
    await this.addCanary(
      this.anonymousCaller.post('/v1/auth/login', {
        email: this.email,
        password: this.recordAnswer('wrong password', createCanary()),
      }),
    );
    const { body: pair } = await this.anonymousCaller.post('/v1/auth/login', {
      email: this.email,
      password: this.password,
    });
    const { body: next } = await this.anonymousCaller.post('/v1/auth/refresh', {
      refreshToken: this.recordRefresh(pair.refreshToken),
    });
    this.recordRefresh(next.refreshToken);
    for (const token of [pair.accessToken, next.accessToken] as string[])
      this.recordAnswer('signature of an access token', token.split('.')[2]!);
    await this.addCanary(
      this.anonymousCaller.post('/v1/auth/refresh', {
        refreshToken: this.recordAnswer('a refresh token that is none', createCanary()),
      }),
    );
    const user = new Caller(this.url, next.accessToken);
    await this.addCanary(
      user.post('/v1/auth/step-up', { password: this.recordAnswer('wrong password of a step-up', createCanary()) }),
    );
    await this.addCanary(user.post('/v1/auth/step-up', { password: this.password }));
    return user;
  }

  /** Its first part is the id of the session, which is not secret. */
  private recordRefresh(token: string): string {
    this.recordAnswer('refresh token of a session', token.slice(token.indexOf('.') + 1));
    return token;
  }

  private async callMfa(user: Caller): Promise<void> {
    const { body } = await user.post('/v1/auth/mfa/totp', { password: this.password });
    const authenticator = new Authenticator(this.recordAnswer('TOTP secret', body.secret));
    const confirmed = await user.post('/v1/auth/mfa/totp/confirm', { code: authenticator.generateCode(0) });
    const codes = confirmed.body.backupCodes as string[];
    for (const code of codes) this.recordAnswer('backup code', code);
    const { body: half } = await this.anonymousCaller.post('/v1/auth/login', {
      email: this.email,
      password: this.password,
    });
    this.recordAnswer('signature of a token of half a sign-in', (half.mfaToken as string).split('.')[2]!);
    await this.addCanary(
      this.anonymousCaller.post('/v1/auth/login/mfa', {
        mfaToken: half.mfaToken,
        backupCode: this.recordAnswer('wrong backup code', 'canary-back-up'),
      }),
    );
    const { body: whole } = await this.anonymousCaller.post('/v1/auth/login/mfa', {
      mfaToken: half.mfaToken,
      backupCode: codes[0],
    });
    this.recordRefresh(whole.refreshToken);
    await this.addCanary(
      user.post('/v1/auth/mfa/totp/disable', { password: this.password, code: authenticator.generateCode(1) }),
    );
  }

  private async callPasswords(user: Caller): Promise<void> {
    const changed = this.recordAnswer('changed password', createCanary());
    await this.addCanary(user.post('/v1/auth/password', { currentPassword: this.password, newPassword: changed }));
    this.password = changed;
    await this.addCanary(this.anonymousCaller.post('/v1/auth/password/forgot', { email: this.email }));
    const token = this.recordAnswer('link of a reset', await this.findLatestToken());
    await this.addCanary(this.anonymousCaller.get(`/reset-password?token=${token}`));
    await this.addCanary(this.anonymousCaller.post('/v1/auth/password/reset', { token, password: 'short' }));
    await this.addCanary(
      this.anonymousCaller.post('/v1/auth/password/reset', {
        token: this.recordAnswer('a link that is none', randomBytes(32).toString('base64url')),
        password: changed,
      }),
    );
  }

  private async callConnections(user: Caller): Promise<void> {
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const pair = () => ({
      provider: 'upwork',
      accessToken: this.recordAnswer('access token', createTokenCanary()),
      refreshToken: this.recordAnswer('refresh token', createTokenCanary()),
      expiresAt,
    });
    const once = pair();
    await this.addCanary(user.post('/v1/tokens', once, { 'idempotency-key': 'canary' }));
    await this.addCanary(user.post('/v1/tokens', once, { 'idempotency-key': 'canary' }));
    await this.addCanary(user.post('/v1/tokens', pair(), { 'idempotency-key': 'canary' }));
    await this.addCanary(user.post('/v1/tokens', { ...pair(), provider: createCanary() }));
    await this.addCanary(user.post('/v1/tokens', { ...pair(), expiresAt: 'never' }));
    await this.addCanary(
      user.post('/v1/tokens', {
        ...pair(),
        accessToken: { secret: this.recordAnswer('access token in an object', createCanary()) },
      }),
    );
    await this.addCanary(user.get('/v1/tokens'));
  }

  private async callWebhooks(user: Caller): Promise<void> {
    const { body: made } = await user.post(
      '/v1/webhooks',
      { url: 'https://hooks.example.com/gigvault' },
      { 'idempotency-key': 'canary-webhook' },
    );
    const { body: rotated } = await user.post(`/v1/webhooks/${made.id}/rotate-secret`);
    for (const secret of [made.secret, rotated.secret] as string[])
      this.recordAnswer('secret of a webhook', secret.replace(/^whsec_/, ''));
    await this.addCanary(user.post(`/v1/webhooks/${made.id}/test`));
    await this.addCanary(user.get(`/v1/webhooks/${made.id}/deliveries`));
    await this.addCanary(user.get('/v1/webhooks'));
  }

  private async callAuthorization(user: Caller): Promise<void> {
    const begin = async () => (await user.post<{ url: string }>('/v1/tokens/upwork/authorize')).body.url;
    const open = new URL(await begin());
    this.recordAnswer('state of an open authorization', open.searchParams.get('state')!);
    const back = new URL((await fetch(await begin(), { redirect: 'manual' })).headers.get('location')!);
    this.recordAnswer('state', back.searchParams.get('state')!);
    this.recordAnswer('code', back.searchParams.get('code')!);
    const foreign = {
      state: this.recordAnswer('a state that is none', randomBytes(24).toString('base64url')),
      code: this.recordAnswer('a code that is none', randomBytes(24).toString('base64url')),
    };
    await this.addCanary(user.get(`/v1/tokens/upwork/callback?${new URLSearchParams(foreign).toString()}`));
    const { body: connection } = await this.addCanary(user.get(back.pathname + back.search));
    await this.addCanary(user.get(back.pathname + back.search));
    for (const fault of ['html', '500', 'empty'] as const) {
      this.upwork.faults.schedule('token', fault);
      this.upwork.faults.schedule('graphql', fault);
      await this.addCanary(user.post(`/v1/tokens/${connection.id}/refresh`));
    }
    await this.addCanary(user.post('/v1/jobs/sync'));
  }

  private async callInvalidRequests(user: Caller): Promise<void> {
    const bearer = this.recordAnswer('a bearer token that is none', randomBytes(24).toString('base64url'));
    await this.addCanary(new Caller(this.url, bearer).get('/v1/users/me'));
    const credentials = Buffer.from(`ann:${this.recordAnswer('Basic password', createCanary())}`).toString('base64');
    await this.addCanary(this.anonymousCaller.get('/v1/users/me', { authorization: `Basic ${credentials}` }));
    await this.addCanary(
      this.anonymousCaller.get('/v1/users/me', {
        cookie: `gigvault_admin=${this.recordAnswer('a cookie that is none', randomBytes(24).toString('base64url'))}`,
      }),
    );
    await this.addCanary(user.post('/v1/ai/generations', { type: 'cover_letter' }));
    await this.addCanary(user.get('/v1/users/me/export'));
    await this.addCanary(user.get('/v1/audit/logs'));
  }

  /** Sends it as the admin's browser does. */
  private async callDashboard(): Promise<void> {
    const form = async (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
      this.addCanary(
        this.anonymousCaller.post(path, new URLSearchParams(fields).toString(), {
          'content-type': 'application/x-www-form-urlencoded',
          accept: 'text/html',
          origin: this.url,
          ...headers,
        }),
      );
    await form('/admin/sign-in', {
      email: this.email,
      password: this.recordAnswer('wrong password on the dashboard', createCanary()),
    });
    await form('/admin/sign-in', { email: this.email, password: this.password });
    await form('/admin/sign-in/code', {
      mfaToken: this.recordAnswer('a token of half a sign-in that is none', randomBytes(24).toString('base64url')),
      code: '000000',
    });
  }

  private async findLatestToken(): Promise<string> {
    const [newest] = await listEmails(this.admin, this.email);
    return findToken(newest);
  }
}

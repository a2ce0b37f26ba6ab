import { randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FakeUpwork } from '../fakes/upwork/fake-upwork';
import { Caller, type Answer } from '../support/caller';
import { mailsTo, tokenOf } from '../support/mails';
import { Authenticator } from '../support/people';
import type { Canary } from './canary-forms';

/** A secret that every encoding writes in another way. */
export function aCanary(): string {
  return `canary "${randomBytes(9).toString('base64')}" & gäll+/=`;
}

/** A secret of the letters that a token may have, which still differ between encodings. */
function aTokenCanary(): string {
  return `canary-"${randomBytes(9).toString('base64')}"&<+/=`;
}

/** A vendor that refuses a key and, as vendors do, quotes it. */
export async function startQuotingVendor(): Promise<{ readonly url: string; stop(): void }> {
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
 * Sends a secret through every door that takes one, rightly and wrongly, and gathers what must be found nowhere, with all
 * answers except those that hand their owner a secret of his own.
 */
export class CanaryDoors {
  readonly canaries: Canary[] = [];
  readonly answers: Answer[] = [];
  private readonly email = `${randomUUID()}@example.org`;
  private password = aCanary();
  private readonly anyone: Caller;

  constructor(
    private readonly url: string,
    private readonly admin: Caller,
    private readonly upwork: FakeUpwork,
  ) {
    this.anyone = new Caller(url);
    this.overhear();
  }

  /** Adds a secret to what is looked for, and returns it. */
  note(name: string, value: string): string {
    this.canaries.push({ name, value });
    return value;
  }

  async goThroughAll(): Promise<void> {
    await this.registration();
    const user = await this.sessions();
    await this.secondFactor(user);
    await this.passwords(user);
    await this.connections(user);
    await this.webhooks(user);
    await this.authorization(user);
    await this.oddDoors(user);
    await this.dashboard();
  }

  private async say(answer: Promise<Answer>): Promise<Answer> {
    const said = await answer;
    this.answers.push(said);
    return said;
  }

  /** What the fake provider is sent and gives. */
  private overhear(): void {
    const { grants } = this.upwork;
    const answer = grants.answer.bind(grants);
    grants.answer = (form) => {
      for (const name of ['code', 'code_verifier', 'refresh_token']) {
        const value = form.get(name);
        if (value !== null) this.note(`${name} of the provider`, value);
      }
      const given = answer(form);
      for (const name of ['access_token', 'refresh_token']) {
        const value = given.body[name];
        if (typeof value === 'string') this.note(`${name} from the provider`, value);
      }
      return given;
    };
  }

  private async registration(): Promise<void> {
    this.note('password', this.password);
    await this.say(this.anyone.post('/v1/auth/register', { email: this.email, password: this.password, unknown: 1 }));
    await this.say(
      this.anyone.post('/v1/auth/register', {
        email: 'no address',
        password: this.note('password of no address', aCanary()),
      }),
    );
    await this.say(
      this.anyone.post('/v1/auth/register', {
        email: this.email,
        password: [this.note('password in a list', aCanary())],
      }),
    );
    await this.say(
      this.anyone.post(
        '/v1/auth/register',
        `{"email": "x", "password": "${this.note('password in broken JSON', 'canary-broken-json-51a7')}"`,
      ),
    );
    await this.say(this.anyone.post('/v1/auth/register', { email: this.email, password: this.password }));
    const token = this.note('link of a mail', await this.newestToken());
    await this.say(this.anyone.get(`/verify-email?token=${token}`));
    await this.say(this.anyone.post('/v1/auth/verify-email', { token }));
    await this.say(this.anyone.post('/v1/auth/verify-email', { token }));
  }

  private async sessions(): Promise<Caller> {
    await this.say(
      this.anyone.post('/v1/auth/login', { email: this.email, password: this.note('wrong password', aCanary()) }),
    );
    const { body: pair } = await this.anyone.post('/v1/auth/login', { email: this.email, password: this.password });
    const { body: next } = await this.anyone.post('/v1/auth/refresh', {
      refreshToken: this.noteRefresh(pair.refreshToken),
    });
    this.noteRefresh(next.refreshToken);
    for (const token of [pair.accessToken, next.accessToken] as string[])
      this.note('signature of an access token', token.split('.')[2]!);
    await this.say(
      this.anyone.post('/v1/auth/refresh', { refreshToken: this.note('a refresh token that is none', aCanary()) }),
    );
    const user = new Caller(this.url, next.accessToken);
    await this.say(user.post('/v1/auth/step-up', { password: this.note('wrong password of a step-up', aCanary()) }));
    await this.say(user.post('/v1/auth/step-up', { password: this.password }));
    return user;
  }

  /** Its first part is the session's id, which is no secret. */
  private noteRefresh(token: string): string {
    this.note('refresh token of a session', token.slice(token.indexOf('.') + 1));
    return token;
  }

  private async secondFactor(user: Caller): Promise<void> {
    const { body } = await user.post('/v1/auth/mfa/totp', { password: this.password });
    const authenticator = new Authenticator(this.note('TOTP secret', body.secret));
    const confirmed = await user.post('/v1/auth/mfa/totp/confirm', { code: authenticator.code(0) });
    const codes = confirmed.body.backupCodes as string[];
    for (const code of codes) this.note('backup code', code);
    const { body: half } = await this.anyone.post('/v1/auth/login', { email: this.email, password: this.password });
    this.note('signature of a token of half a sign-in', (half.mfaToken as string).split('.')[2]!);
    await this.say(
      this.anyone.post('/v1/auth/login/mfa', {
        mfaToken: half.mfaToken,
        backupCode: this.note('wrong backup code', 'canary-back-up'),
      }),
    );
    const { body: whole } = await this.anyone.post('/v1/auth/login/mfa', {
      mfaToken: half.mfaToken,
      backupCode: codes[0],
    });
    this.noteRefresh(whole.refreshToken);
    await this.say(user.post('/v1/auth/mfa/totp/disable', { password: this.password, code: authenticator.code(1) }));
  }

  private async passwords(user: Caller): Promise<void> {
    const changed = this.note('changed password', aCanary());
    await this.say(user.post('/v1/auth/password', { currentPassword: this.password, newPassword: changed }));
    this.password = changed;
    await this.say(this.anyone.post('/v1/auth/password/forgot', { email: this.email }));
    const token = this.note('link of a reset', await this.newestToken());
    await this.say(this.anyone.get(`/reset-password?token=${token}`));
    await this.say(this.anyone.post('/v1/auth/password/reset', { token, password: 'short' }));
    await this.say(
      this.anyone.post('/v1/auth/password/reset', {
        token: this.note('a link that is none', randomBytes(32).toString('base64url')),
        password: changed,
      }),
    );
  }

  private async connections(user: Caller): Promise<void> {
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const pair = () => ({
      provider: 'upwork',
      accessToken: this.note('access token', aTokenCanary()),
      refreshToken: this.note('refresh token', aTokenCanary()),
      expiresAt,
    });
    const once = pair();
    await this.say(user.post('/v1/tokens', once, { 'idempotency-key': 'canary' }));
    await this.say(user.post('/v1/tokens', once, { 'idempotency-key': 'canary' }));
    await this.say(user.post('/v1/tokens', pair(), { 'idempotency-key': 'canary' }));
    await this.say(user.post('/v1/tokens', { ...pair(), provider: aCanary() }));
    await this.say(user.post('/v1/tokens', { ...pair(), expiresAt: 'never' }));
    await this.say(
      user.post('/v1/tokens', {
        ...pair(),
        accessToken: { secret: this.note('access token in an object', aCanary()) },
      }),
    );
    await this.say(user.get('/v1/tokens'));
  }

  private async webhooks(user: Caller): Promise<void> {
    const { body: made } = await user.post(
      '/v1/webhooks',
      { url: 'https://hooks.example.com/gigvault' },
      { 'idempotency-key': 'canary-webhook' },
    );
    const { body: rotated } = await user.post(`/v1/webhooks/${made.id}/rotate-secret`);
    for (const secret of [made.secret, rotated.secret] as string[])
      this.note('secret of a webhook', secret.replace(/^whsec_/, ''));
    await this.say(user.post(`/v1/webhooks/${made.id}/test`));
    await this.say(user.get(`/v1/webhooks/${made.id}/deliveries`));
    await this.say(user.get('/v1/webhooks'));
  }

  private async authorization(user: Caller): Promise<void> {
    const begin = async () => (await user.post<{ url: string }>('/v1/tokens/upwork/authorize')).body.url;
    const open = new URL(await begin());
    this.note('state of an open authorization', open.searchParams.get('state')!);
    const back = new URL((await fetch(await begin(), { redirect: 'manual' })).headers.get('location')!);
    this.note('state', back.searchParams.get('state')!);
    this.note('code', back.searchParams.get('code')!);
    const foreign = {
      state: this.note('a state that is none', randomBytes(24).toString('base64url')),
      code: this.note('a code that is none', randomBytes(24).toString('base64url')),
    };
    await this.say(user.get(`/v1/tokens/upwork/callback?${new URLSearchParams(foreign).toString()}`));
    const { body: connection } = await this.say(user.get(back.pathname + back.search));
    await this.say(user.get(back.pathname + back.search));
    for (const fault of ['html', '500', 'empty'] as const) {
      this.upwork.faults.next('token', fault);
      this.upwork.faults.next('graphql', fault);
      await this.say(user.post(`/v1/tokens/${connection.id}/refresh`));
    }
    await this.say(user.post('/v1/jobs/sync'));
  }

  private async oddDoors(user: Caller): Promise<void> {
    const bearer = this.note('a bearer token that is none', randomBytes(24).toString('base64url'));
    await this.say(new Caller(this.url, bearer).get('/v1/users/me'));
    await this.say(
      this.anyone.get('/v1/users/me', {
        authorization: `Basic ${Buffer.from(`ann:${this.note('Basic password', aCanary())}`).toString('base64')}`,
      }),
    );
    await this.say(
      this.anyone.get('/v1/users/me', {
        cookie: `gigvault_admin=${this.note('a cookie that is none', randomBytes(24).toString('base64url'))}`,
      }),
    );
    await this.say(user.post('/v1/ai/generations', { type: 'cover_letter' }));
    await this.say(user.get('/v1/users/me/export'));
    await this.say(user.get('/v1/audit/logs'));
  }

  /** As the admin's browser sends it. */
  private async dashboard(): Promise<void> {
    const form = async (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
      this.say(
        this.anyone.post(path, new URLSearchParams(fields).toString(), {
          'content-type': 'application/x-www-form-urlencoded',
          accept: 'text/html',
          origin: this.url,
          ...headers,
        }),
      );
    await form('/admin/sign-in', {
      email: this.email,
      password: this.note('wrong password on the dashboard', aCanary()),
    });
    await form('/admin/sign-in', { email: this.email, password: this.password });
    await form('/admin/sign-in/code', {
      mfaToken: this.note('a token of half a sign-in that is none', randomBytes(24).toString('base64url')),
      code: '000000',
    });
  }

  private async newestToken(): Promise<string> {
    const [newest] = await mailsTo(this.admin, this.email);
    return tokenOf(newest);
  }
}

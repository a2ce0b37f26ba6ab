import { createHmac, createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { JwtService } from '@nestjs/jwt';
import { AccessTokensService } from '../../src/auth/access-tokens/access-tokens.service';
import { SessionsService } from '../../src/auth/sessions/sessions.service';
import { Config } from '../../src/platform/config/config';
import { startApp, type TestApp } from '../support/test-app';
import {
  createAnonymousCaller,
  createSignedInCaller,
  createUser,
  type SignedInCaller,
  signInFrom,
} from '../support/accounts';
import { Caller } from '../support/caller';
import { waitFor } from '../support/wait-for';
import { freezeDate } from '../support/frozen-date';
import { listEmails } from '../support/emails';

const GRACE_MS = 10_000;

/** How long a process caches a session. */
const CACHE_MS = 900;

interface Pair {
  readonly accessToken: string;
  readonly refreshToken: string;
}

describe('sessions', () => {
  let app: TestApp;
  let second: TestApp;

  beforeAll(async () => {
    app = await startApp();
    second = await startApp({ sharedWith: app });
  });
  afterEach(() => jest.useRealTimers());
  afterAll(async () => {
    await second.close();
    await app.close();
  });

  const refresh = (refreshToken: string, at = app) =>
    createAnonymousCaller(at).post<Pair>('/v1/auth/refresh', { refreshToken });
  const getStatus = async (user: Caller): Promise<number> => (await user.get('/v1/users/me')).status;
  const at = (other: TestApp, user: Caller): Caller => new Caller(other.url, user.token);

  /** Simulates the end of the grace period. */
  async function deletePairs(): Promise<void> {
    const keys = await app.redis.keys('session-pair:*');
    if (keys.length > 0) await app.redis.del(...keys);
  }

  it('give parallel uses of one refresh token the same pair, from every process', async () => {
    const user = await createSignedInCaller(app);

    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => refresh(user.refreshToken, i % 2 === 0 ? app : second)),
    );

    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(await getStatus(new Caller(app.url, answers[0]!.body.accessToken))).toBe(200);
  });

  it('keep the pair for 10 seconds, encrypted', async () => {
    await deletePairs();
    const user = await createSignedInCaller(app);
    const { body } = await refresh(user.refreshToken);

    const keys = await app.redis.keys('session-pair:*');
    const kept = await Promise.all(
      keys.map(async (key) => ({ value: await app.redis.get(key), ttl: await app.redis.pttl(key) })),
    );

    for (const { value, ttl } of kept) {
      expect(value).toMatch(/^v1\.[0-9a-f-]{36}\./);
      expect(ttl).toBeLessThanOrEqual(GRACE_MS);
    }
    const everything = await dumpRedis(app);
    expect(everything).not.toContain(body.refreshToken.split('.')[1]);
    expect(everything).not.toContain(user.refreshToken.split('.')[1]);
  });

  it('are limited to 50 per user: another sign-in ends the oldest and records an event', async () => {
    const person = await createUser(app);
    const [oldest, second] = [await signInFrom(app, person), await signInFrom(app, person)];
    const sessions = app.get(SessionsService);
    const session = {
      userId: person.id,
      role: 'user',
      verifiedAt: new Date(),
      refreshHash: 'x',
      device: null,
      ip: null,
    } as const;
    // An expired session does not count.
    const idle = sessions.generateId();
    await sessions.begin(idle, session);
    await app.redis.del(`session:${idle}`);
    for (let n = 2; n < 50; n++) expect(await sessions.begin(sessions.generateId(), session)).toEqual([]);
    expect([await getStatus(oldest), await getStatus(second)]).toEqual([200, 200]);

    const newest = await signInFrom(app, person);

    expect([await getStatus(oldest), await getStatus(second), await getStatus(newest)]).toEqual([401, 200, 200]);
    expect((await newest.get('/v1/auth/sessions')).body.items).toHaveLength(50);
    const events = await app.db.query(
      'superuser',
      `SELECT details ->> 'reason' AS reason FROM security_logs
       WHERE event_type = 'auth.session_ended' AND user_id = $1`,
      [person.id],
    );
    expect(events).toEqual([{ reason: 'too many sessions' }]);
  });

  it('are limited by SESSION_MAX_PER_USER, and users read which sign-in ended which session', async () => {
    const limited = await startApp({ sharedWith: app, settings: { SESSION_MAX_PER_USER: '2' } });
    const person = await createUser(app);

    const [first, second, third] = [
      await signInFrom(limited, person),
      await signInFrom(limited, person),
      await signInFrom(limited, person),
    ];

    expect([await getStatus(first), await getStatus(second), await getStatus(third)]).toEqual([401, 200, 200]);
    const { body } = await third.get('/v1/users/me/security-events?limit=10');
    expect(body.items.map(({ eventType }: { eventType: string }) => eventType)).toContain('auth.session_ended');
    await limited.close();
  });

  it('end when a refresh token is used again later', async () => {
    const user = await createSignedInCaller(app);
    const first = await refresh(user.refreshToken);
    await deletePairs();

    const reused = await refresh(user.refreshToken);

    expect(reused).toMatchObject({ status: 401, body: { code: 'auth.refresh_token_invalid' } });
    expect((await refresh(first.body.refreshToken)).status).toBe(401);
    expect(await getStatus(new Caller(app.url, first.body.accessToken))).toBe(401);
    const [event] = await app.db.query(
      'superuser',
      `SELECT user_id, success FROM security_logs WHERE event_type = 'auth.refresh_reused' AND user_id = $1`,
      [user.id],
    );
    expect(event).toEqual({ user_id: user.id, success: false });
    const [email] = await listEmails(await createSignedInCaller(app, { role: 'admin' }), user.email);
    expect(email?.subject).toBe('One of your sessions was ended');
  });

  it('do not end when a refresh token is guessed', async () => {
    const user = await createSignedInCaller(app);
    const [id, , tag] = user.refreshToken.split('.');

    const guess = await refresh(`${id}.${'A'.repeat(43)}.${tag}`);

    expect(guess.status).toBe(401);
    expect((await refresh(user.refreshToken)).status).toBe(200);
  });

  it('end in every process as soon as it receives the message of the sign-out', async () => {
    const user = await createSignedInCaller(app);
    // The frozen clock keeps cached sessions from expiring.
    freezeDate();
    expect([await getStatus(user), await getStatus(at(second, user))]).toEqual([200, 200]);

    expect((await user.post('/v1/auth/logout')).status).toBe(204);

    expect(await getStatus(user)).toBe(401);
    await waitFor('the other process receives the message', async () => (await getStatus(at(second, user))) === 401);
  });

  it('end within a second even if the message is lost', async () => {
    const user = await createSignedInCaller(app);
    const date = freezeDate();
    await getStatus(at(second, user));
    await app.redis.del(`session:${user.sessionId}`);

    date.advance(CACHE_MS - 1);
    const before = await getStatus(at(second, user));
    date.advance(1);

    expect([before, await getStatus(at(second, user))]).toEqual([200, 401]);
  });

  it('of another user do not end when a sign-out sends their refresh token', async () => {
    const [user, other] = [await createSignedInCaller(app), await createSignedInCaller(app)];

    expect((await user.post('/v1/auth/logout', { refreshToken: other.refreshToken })).status).toBe(204);

    expect(await getStatus(other)).toBe(200);
  });

  it('that a restored Redis contains are rejected after a check in PostgreSQL', async () => {
    const user = await createSignedInCaller(app);
    expect(await getStatus(user)).toBe(200);
    const dump = await app.redis.dumpBuffer(`session:${user.sessionId}`);
    await app.db.query('superuser', `UPDATE users SET sessions_valid_from = clock_timestamp() WHERE id = $1`, [
      user.id,
    ]);
    await app.get(SessionsService).endAll(user.id);
    await app.redis.restore(`session:${user.sessionId}`, 0, dump);

    expect(await getStatus(user)).toBe(401);
    expect((await refresh(user.refreshToken)).status).toBe(401);
  });

  it.each([
    ['deactivated', `UPDATE users SET is_active = false WHERE id = $1`],
    ['changed in role', `UPDATE users SET role = 'admin' WHERE id = $1`],
    ['erased', `DELETE FROM users WHERE id = $1`],
  ])('of a user who is %s are rejected by a process that has not seen them', async (_, sql) => {
    const user = await createSignedInCaller(app);
    await app.db.query('superuser', sql, [user.id]);

    expect(await getStatus(at(second, user))).toBe(401);
  });

  it('end after the idle limit, and after the absolute limit in any case', async () => {
    const short = await startApp({
      sharedWith: app,
      settings: { SESSION_IDLE_SECONDS: '600', SESSION_ABSOLUTE_SECONDS: '900' },
    });
    const user = await createSignedInCaller(short);
    const key = `session:${user.sessionId}`;
    const created = Number(await app.redis.hget(key, 'created'));
    expect(await app.redis.pexpiretime(key)).toBe(created + 600_000);

    const date = freezeDate();
    const ends = Date.now() + 300_000;
    await app.redis.hset(key, { seen: Date.now() - 61_000, ends });
    expect(await getStatus(user)).toBe(200);
    await waitFor('the use is recorded', async () => (await app.redis.pexpiretime(key)) === ends);

    await app.redis.hset(key, { ends: Date.now() - 1 });
    date.advance(CACHE_MS);
    expect(await getStatus(user)).toBe(401);
    await short.close();
  });

  it('answer 503, not 500 or 200, while Redis is unavailable', async () => {
    const disconnected = await startApp({ sharedWith: app });
    const user = await createSignedInCaller(disconnected);
    disconnected.redis.disconnect();

    const answer = await user.get('/v1/users/me');

    expect(answer).toMatchObject({ status: 503, body: { code: 'service.unavailable' } });
    await disconnected.close();
  });
});

describe('access tokens', () => {
  let app: TestApp;
  let user: SignedInCaller;

  beforeAll(async () => {
    app = await startApp();
    user = await createSignedInCaller(app);
  });
  afterAll(() => app.close());

  const claims = (): Record<string, unknown> => {
    const now = Math.floor(Date.now() / 1000);
    return {
      sub: String(user.id),
      sid: user.sessionId,
      aud: 'gigvault:access',
      iss: 'gigvault',
      iat: now,
      nbf: now,
      exp: now + 60,
    };
  };
  const decodeHeader = (token: string) => JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString());
  const key = () => createSecretKey(app.get(Config).secrets.derive('access-token'));

  function forgeToken(
    changes: { header?: Record<string, unknown>; claims?: Record<string, unknown> },
    secret: KeyObject = key(),
  ): string {
    const header = { ...decodeHeader(user.token!), ...changes.header };
    const present = Object.entries({ ...claims(), ...changes.claims }).filter(([, value]) => value !== undefined);
    return new JwtService({ secret }).sign(Object.fromEntries(present), {
      algorithm: header.alg,
      header,
      noTimestamp: true,
    });
  }

  function buildUnsignedToken(algorithm: string): string {
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    return `${encode({ ...decodeHeader(user.token!), alg: algorithm })}.${encode(claims())}.`;
  }

  it('forged without a fault are accepted, so that the others fail for their one fault only', async () => {
    expect((await new Caller(app.url, forgeToken({})).get('/v1/users/me')).status).toBe(200);
  });

  /** Read in the test: in a group, all files are loaded minutes before the last tests run. */
  const now = (): number => Math.floor(Date.now() / 1000);
  it.each<[string, () => string]>([
    ['with alg none', () => buildUnsignedToken('none')],
    ['with alg None', () => buildUnsignedToken('NoNe')],
    ['signed with another key', () => forgeToken({}, createSecretKey(Buffer.alloc(32)))],
    ['signed with HS512', () => forgeToken({ header: { alg: 'HS512' } })],
    [
      'signed with RS256',
      () => forgeToken({ header: { alg: 'RS256' } }, generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey),
    ],
    ['for another audience', () => forgeToken({ claims: { aud: 'gigvault:mfa' } })],
    ['for several other audiences', () => forgeToken({ claims: { aud: ['a', 'b'] } })],
    ['of another issuer', () => forgeToken({ claims: { iss: 'someone' } })],
    ['that is expired', () => forgeToken({ claims: { exp: now() - 5 } })],
    ['without an end', () => forgeToken({ claims: { exp: undefined } })],
    ['that is not valid yet', () => forgeToken({ claims: { nbf: now() + 600 } })],
    ['with another kid', () => forgeToken({ header: { kid: '../../dev/null' } })],
    ['without a kid', () => forgeToken({ header: { kid: undefined } })],
    ['of another type', () => forgeToken({ header: { typ: 'JWT' } })],
    [
      'with a key of its own',
      () => forgeToken({ header: { jwk: { kty: 'oct', k: 'AAAA' } } }, createSecretKey(Buffer.from([0, 0, 0]))),
    ],
    [
      'meant for the second factor',
      () => app.get(AccessTokensService).sign('mfa', { userId: user.id, sessionId: user.sessionId }),
    ],
    ['of another user with this session', () => forgeToken({ claims: { sub: String(user.id + 1) } })],
    ['with a sub that is no number', () => forgeToken({ claims: { sub: 'admin' } })],
    ['without a session', () => forgeToken({ claims: { sid: undefined } })],
    ['with a session that is no text', () => forgeToken({ claims: { sid: { $ne: '' } } })],
    ['of an unknown session', () => forgeToken({ claims: { sid: 'A'.repeat(22) } })],
    ['cut short', () => user.token!.slice(0, -2)],
    ['that is a refresh token', () => user.refreshToken],
    ['that is a bare MAC', () => createHmac('sha256', 'x').update('y').digest('base64url')],
  ])('%s are rejected', async (_, build) => {
    const answer = await new Caller(app.url, build()).get('/v1/users/me');

    expect(answer).toMatchObject({ status: 401, body: { code: 'auth.token_invalid' } });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="gigvault", error="invalid_token"');
  });

  it.each(['', 'Basic YTpi', 'Bearer', 'Bearer  '])('are required when Authorization is %j', async (authorization) => {
    const answer = await createAnonymousCaller(app).get('/v1/users/me', { authorization });

    expect(answer.status).toBe(401);
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="gigvault"/);
  });

  it('of a user do not open an admin route', async () => {
    const admin = await createSignedInCaller(app, { role: 'admin' });

    expect(await user.get('/v1/dev/outbox')).toMatchObject({ status: 403, body: { code: 'auth.forbidden' } });
    expect((await admin.get('/v1/dev/outbox')).status).toBe(200);
  });
});

/** Returns every key and value of a test's Redis as text. */
async function dumpRedis({ redis }: TestApp): Promise<string> {
  const keys = await redis.keys('*');
  const values = await Promise.all(
    keys.map(async (key) =>
      (await redis.type(key)) === 'hash'
        ? redis.hgetall(key)
        : (await redis.type(key)) === 'string'
          ? redis.get(key)
          : '',
    ),
  );
  return JSON.stringify([keys, values]);
}

import { FakeUpwork } from '../../src/demo/fake-upwork/fake-upwork';
import { UpworkRateLimiterService } from '../../src/upwork/upwork-rate-limiter.service';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { type Answer, Caller } from '../support/caller';
import { createUpworkConnection } from '../support/upwork-connections';
import { waitFor } from '../support/wait-for';

/** Difference of the clocks of Redis and of this process, which both round. */
const CLOCK_MS = 50;

const IN_AN_HOUR = new Date(Date.now() + 3_600_000).toISOString();
const PAIR = {
  provider: 'upwork',
  accessToken: 'canary-access-1',
  refreshToken: 'canary-refresh-1',
  expiresAt: IN_AN_HOUR,
};

describe('/v1/tokens', () => {
  let upwork: FakeUpwork;
  let app: TestApp;
  let ann: SignedInCaller;

  beforeAll(async () => {
    upwork = await new FakeUpwork().start();
    app = await startApp({ settings: upwork.settings });
  });
  beforeEach(async () => {
    ann = await createSignedInCaller(app);
  });
  afterEach(() => {
    upwork.faults.clear();
    upwork.grants.scope = undefined;
    upwork.tokenDelayMs = 0;
  });
  afterAll(async () => {
    await app.close();
    await upwork.stop();
  });

  it('stores a pair without calling the provider, and returns no token', async () => {
    const { status, headers, body } = await ann.post('/v1/tokens', { ...PAIR, organizationId: 'org-1' });

    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/v1/tokens/${body.id}`);
    expect(body).toMatchObject({
      provider: 'upwork',
      organizationId: 'org-1',
      status: 'active',
      health: 'healthy',
      expiresAt: IN_AN_HOUR,
    });
    expect(JSON.stringify(body)).not.toContain('canary');
    expect((await ann.get(`/v1/tokens/${body.id}`)).body).toEqual(body);
    expect((await ann.get('/v1/tokens')).body).toEqual({ items: [body], nextCursor: null });
  });

  it('replaces the pair of the same provider and organization, or of none', async () => {
    const first = await ann.post('/v1/tokens', PAIR);
    const again = await ann.post('/v1/tokens', { ...PAIR, accessToken: 'other' });
    const other = await ann.post('/v1/tokens', { ...PAIR, organizationId: 'org-2' });

    expect([first.status, again.status, other.status]).toEqual([201, 200, 201]);
    expect(again.body.id).toBe(first.body.id);
    expect(other.body.id).not.toBe(first.body.id);
  });

  it('separates pairs by user, and deletes them on DELETE', async () => {
    const { body } = await ann.post('/v1/tokens', PAIR);
    const bob = await createSignedInCaller(app);

    expect((await bob.post('/v1/tokens', PAIR)).status).toBe(201);
    expect((await bob.get(`/v1/tokens/${body.id}`)).body.code).toBe('token.not_found');
    expect((await bob.delete(`/v1/tokens/${body.id}`)).status).toBe(404);
    expect((await ann.delete(`/v1/tokens/${body.id}`, undefined, { 'if-match': '"9"' })).status).toBe(412);
    expect((await ann.delete(`/v1/tokens/${body.id}`)).status).toBe(204);
    expect((await ann.get(`/v1/tokens/${body.id}`)).status).toBe(404);
  });

  it.each([
    [{ ...PAIR, provider: 'elance' }, '/provider'],
    [{ ...PAIR, accessToken: 'two words' }, '/accessToken'],
    [{ ...PAIR, refreshToken: '' }, '/refreshToken'],
    [{ ...PAIR, refreshToken: 'x'.repeat(8_001) }, '/refreshToken'],
    [{ ...PAIR, expiresAt: 'tomorrow' }, '/expiresAt'],
    [{ ...PAIR, organizationId: '漢字' }, '/organizationId'],
    [{ ...PAIR, organizationId: 'a b' }, '/organizationId'],
    [{ ...PAIR, organizationId: 'a\r\nb: c' }, '/organizationId'],
    [{ ...PAIR, status: 'active' }, '/status'],
  ])('rejects %#, points at the field and repeats no token', async (body, pointer) => {
    const answer = await ann.post('/v1/tokens', body);

    expect(answer.status).toBe(400);
    expect(new Set(answer.body.errors.map((error: { pointer: string }) => error.pointer))).toEqual(new Set([pointer]));
    expect(JSON.stringify(answer.body)).not.toContain('canary');
  });

  it('refreshes once for parallel requests, and stays usable', async () => {
    const id = await createUpworkConnection(app, upwork, ann);
    const before = upwork.grants.refreshes;
    upwork.grants.scope = 'messages:all proposals:all';
    upwork.tokenDelayMs = 300;

    const answers = await Promise.all(Array.from({ length: 10 }, () => ann.post(`/v1/tokens/${id}/refresh`)));

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(answers[0]?.body).toMatchObject({
      status: 'active',
      health: 'healthy',
      scopes: ['messages:all', 'proposals:all'],
    });
    expect(upwork.grants.refreshes - before).toBe(1);
  });

  it.each(['429', '500', 'html', 'cut', 'empty'] as const)(
    'reports the error when the provider answers %s, keeps the pair and backs off',
    async (fault) => {
      const id = await createUpworkConnection(app, upwork, ann);
      upwork.faults.schedule('token', fault);

      const failed = await ann.post(`/v1/tokens/${id}/refresh`);
      const repeated = await ann.post(`/v1/tokens/${id}/refresh`);

      expect([failed.status, failed.body.code]).toEqual([503, 'token.refresh_failed']);
      expect(Number(failed.headers.get('retry-after'))).toBeGreaterThan(0);
      expect([repeated.status, repeated.body.detail]).toEqual([503, failed.body.detail]);
      const { body } = await ann.get(`/v1/tokens/${id}`);
      expect(body).toMatchObject({
        status: 'failing',
        health: 'retrying',
        lastError: expect.stringContaining('Upwork'),
      });
    },
  );

  it('asks for a reconnect when the provider refuses permanently', async () => {
    const id = await createUpworkConnection(app, upwork, ann);
    upwork.grants.revokeAll();

    const answer = await ann.post(`/v1/tokens/${id}/refresh`);

    expect([answer.status, answer.body.code]).toEqual([409, 'token.reconnect_needed']);
    expect((await ann.get(`/v1/tokens/${id}`)).body).toMatchObject({
      status: 'reconnect_needed',
      health: 'reconnect_needed',
    });
    const { body } = await ann.post('/v1/tokens', PAIR);
    expect(body).toMatchObject({ id, status: 'active', lastError: null });
  });
});

describe('a refresh token that Upwork refuses', () => {
  let upwork: FakeUpwork;
  let app: TestApp;
  let ann: SignedInCaller;

  beforeAll(async () => {
    upwork = await new FakeUpwork().start();
    app = await startApp({ settings: upwork.settings });
    ann = await createSignedInCaller(app);
  });
  afterEach(() => jest.restoreAllMocks());
  afterAll(async () => {
    await app.close();
    await upwork.stop();
  });

  async function refresh(code: string, restDays: number): Promise<Answer['body']> {
    const id = await createUpworkConnection(app, upwork, ann);
    const restedAt = `now() - make_interval(days => $2)`;
    await app.db.query(
      'superuser',
      `UPDATE user_tokens SET last_refreshed_at = ${restedAt}, created_at = ${restedAt} WHERE id = $1`,
      [id, restDays],
    );
    jest.spyOn(upwork.grants, 'respond').mockReturnValue({ status: 400, body: { error: code } });
    await ann.post(`/v1/tokens/${id}/refresh`);
    return (await ann.get(`/v1/tokens/${id}`)).body;
  }

  it('with any word after two weeks of rest must be reconnected, and is not tried again', async () => {
    const connection = await refresh('access_denied', 15);

    expect(connection).toMatchObject({
      status: 'reconnect_needed',
      health: 'reconnect_needed',
      lastError: 'Upwork refused: access_denied. The connection was unused for two weeks. Connect Upwork again.',
    });
    const calls = upwork.grants.respond as jest.Mock;
    await ann.post(`/v1/tokens/${connection.id}/refresh`);
    expect(calls).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['earlier', 'access_denied', 13],
    ['when the application is refused', 'invalid_client', 15],
  ])('is tried again %s', async (_, code, restDays) => {
    expect(await refresh(code, restDays)).toMatchObject({ status: 'failing', lastError: `Upwork refused: ${code}` });
  });
});

describe('/v1/tokens/upwork', () => {
  let upwork: FakeUpwork;
  let app: TestApp;
  let ann: SignedInCaller;

  beforeAll(async () => {
    upwork = await new FakeUpwork().start();
    app = await startApp({ settings: upwork.settings });
  });
  beforeEach(async () => {
    ann = await createSignedInCaller(app);
  });
  afterAll(async () => {
    await app.close();
    await upwork.stop();
  });

  /** Grants consent and returns the callback path. */
  async function consent(caller: SignedInCaller): Promise<string> {
    const { body } = await caller.post('/v1/tokens/upwork/authorize');
    const { headers } = await fetch(body.url, { redirect: 'manual' });
    const back = new URL(headers.get('location')!);
    return back.pathname + back.search;
  }

  it('connects by the code flow with PKCE, and reconnects in place', async () => {
    const first = await ann.get(await consent(ann));
    const again = await ann.get(await consent(ann));

    expect([first.status, again.status]).toEqual([201, 200]);
    expect(first.body).toMatchObject({ status: 'active', health: 'healthy', organizationId: 'org-freelancer' });
    expect(again.body.id).toBe(first.body.id);
    expect(JSON.stringify([first.body, again.body])).not.toContain('oauth2v2_');
  });

  it('connects when the organizations cannot be read, and keeps the one of an earlier connection', async () => {
    const connect = async (fault: 'none' | 'html') => {
      const callback = await consent(ann);
      upwork.faults.schedule('graphql', fault);
      return ann.get(callback);
    };

    const first = await connect('html');
    const second = await connect('none');
    const third = await connect('html');

    expect([first.status, first.body.organizationId]).toEqual([201, null]);
    expect([second.status, second.body.organizationId]).toEqual([201, 'org-freelancer']);
    expect([third.status, third.body.id]).toEqual([200, second.body.id]);
  });

  it('connects when Redis fails while the organizations are read', async () => {
    const callback = await consent(ann);
    const acquire = jest.spyOn(app.get(UpworkRateLimiterService), 'acquire');
    acquire.mockRejectedValueOnce(new Error('Command timed out'));

    const { status, body } = await ann.get(callback);
    acquire.mockRestore();

    expect([status, body.status, body.organizationId]).toEqual([201, 'active', null]);
  });

  it('ignores an organization that cannot be read', async () => {
    const { transformResponse } = upwork;
    upwork.transformResponse = (_, answer) => {
      Object.assign(answer.data, {
        companySelector: {
          items: [
            { organizationId: 'not a header', organizationType: 'SoleProprietor', organizationLegacyType: 'Vendor' },
            null,
            { organizationId: 'org-agency', organizationType: 'Business', organizationLegacyType: 'Vendor' },
          ],
        },
      });
      return answer;
    };

    const { status, body } = await ann.get(await consent(ann));
    upwork.transformResponse = transformResponse;

    expect([status, body.organizationId]).toEqual([201, 'org-agency']);
  });

  it('connects without PKCE if the operator switched it off', async () => {
    const without = await startApp({ settings: { ...upwork.settings, UPWORK_PKCE: 'false' } });
    const bob = await createSignedInCaller(without);

    const { body } = await bob.post('/v1/tokens/upwork/authorize');
    const { status } = await bob.get(await consent(bob));
    await without.close();

    expect([...new URL(body.url).searchParams.keys()].sort()).toEqual([
      'client_id',
      'redirect_uri',
      'response_type',
      'state',
    ]);
    expect(status).toBe(201);
  });

  describe('for a user of several organizations', () => {
    const [CLIENT_ID, FREELANCER_ID, AGENCY_ID] = ['1300000000000000100', '1300000000000000101', '1300000000000000102'];

    async function connect(): Promise<Answer> {
      upwork.cases.serve('company-selector');
      return ann.get(await consent(ann));
    }
    const choose = (id: number, organizationId: string, headers = {}) =>
      ann.patch(`/v1/tokens/${id}`, { organizationId }, headers);

    it('chooses the freelancer, and shows all', async () => {
      const { body } = await connect();

      expect(body.organizationId).toBe(FREELANCER_ID);
      expect(body.organizations).toEqual([
        { id: CLIENT_ID, title: 'Anna Berg Consulting', type: 'client' },
        { id: FREELANCER_ID, title: 'Anna Berg', type: 'freelancer' },
        { id: AGENCY_ID, title: 'Berg & Co', type: 'agency' },
      ]);
    });

    it('takes the choice of the user, and keeps it when they reconnect', async () => {
      const { body: created } = await connect();
      const syncs = `SELECT watermark, list_positions AS positions FROM syncs WHERE token_id = $1`;
      await app.db.query(
        'superuser',
        `UPDATE syncs SET watermark = now(), list_positions = '{"Hired": {}}' WHERE token_id = $1`,
        [created.id],
      );

      const chosen = await choose(created.id, AGENCY_ID, { 'if-match': `"${created.version}"` });

      expect(chosen).toMatchObject({ status: 200, body: { id: created.id, organizationId: AGENCY_ID } });
      expect(await app.db.query('superuser', syncs, [created.id])).toEqual(
        Array.from({ length: 3 }, () => ({ watermark: null, positions: {} })),
      );
      expect((await choose(created.id, AGENCY_ID)).body.version).toBe(chosen.body.version);
      expect((await connect()).body).toMatchObject({ id: created.id, organizationId: AGENCY_ID });
    });

    it.each([
      ['a client', CLIENT_ID],
      ['an unknown one', '7'],
    ])('refuses %s', async (_, organizationId) => {
      const { body } = await connect();

      expect(await choose(body.id, organizationId)).toMatchObject({
        status: 400,
        body: { code: 'validation.failed', errors: [{ pointer: '/organizationId' }] },
      });
    });

    it('refuses one that has a connection, another version, and a stranger', async () => {
      const { body } = await connect();
      await ann.post('/v1/tokens', { ...PAIR, organizationId: AGENCY_ID });
      const bob = await createSignedInCaller(app);

      expect((await choose(body.id, AGENCY_ID)).body.code).toBe('token.already_exists');
      expect((await choose(body.id, AGENCY_ID, { 'if-match': '"99"' })).status).toBe(412);
      expect((await bob.patch(`/v1/tokens/${body.id}`, { organizationId: AGENCY_ID })).status).toBe(404);
    });
  });

  it('ignores preconditions at the callback, which has no representation', async () => {
    const created = await ann.get(await consent(ann), { 'if-match': '"99"', 'if-none-match': '*' });
    const replaced = await ann.get(await consent(ann), { 'if-match': '"99"', 'if-none-match': '*' });

    expect([created.status, replaced.status]).toEqual([201, 200]);
    expect(replaced.body.id).toBe(created.body.id);
  });

  it('accepts a state once', async () => {
    const callback = await consent(ann);

    expect((await ann.get(callback)).status).toBe(201);
    expect((await ann.get(callback)).body.code).toBe('token.state_invalid');
  });

  it('rejects a state of another user or session, and stores nothing', async () => {
    const bob = await createSignedInCaller(app);
    const forBob = await consent(ann);
    const otherSession = await createSignedInCaller(app);

    expect((await bob.get(forBob)).body.code).toBe('token.state_invalid');
    expect((await ann.get(forBob)).body.code).toBe('token.state_invalid');
    expect((await otherSession.get(await consent(ann))).body.code).toBe('token.state_invalid');
    for (const user of [ann, bob]) expect((await user.get('/v1/tokens')).body.items).toEqual([]);
  });

  it('rejects a missing, unknown or expired state, and an unknown code', async () => {
    const expired = await consent(ann);
    const keys = await app.redis.keys('*upwork-authorization*');
    await app.redis.del(...keys);
    const callback = new URL(`http://x${await consent(ann)}`);
    callback.searchParams.set('code', 'stolen');

    expect((await ann.get('/v1/tokens/upwork/callback?code=x')).body.errors[0].pointer).toBe('/state');
    expect((await ann.get('/v1/tokens/upwork/callback?code=x&state=unknown')).body.code).toBe('token.state_invalid');
    expect((await ann.get(expired)).body.code).toBe('token.state_invalid');
    expect((await ann.get(callback.pathname + callback.search)).body.code).toBe('token.authorization_denied');
  });

  it('stores a state for ten minutes with an encrypted verifier, and rejects it afterwards', async () => {
    const before = await app.redis.keys('*upwork-authorization*');
    const begunAt = Date.now();
    const { body } = await ann.post('/v1/tokens/upwork/authorize');
    const { searchParams } = new URL(body.url);
    const [key] = (await app.redis.keys('*upwork-authorization*')).filter((found) => !before.includes(found));
    const stored = `${key} ${await app.redis.get(key!)}`;
    const storedAt = (await app.redis.pexpiretime(key!)) - 600_000;
    expect(storedAt).toBeGreaterThanOrEqual(begunAt - CLOCK_MS);
    expect(storedAt).toBeLessThanOrEqual(Date.now() + CLOCK_MS);
    expect([searchParams.get('code_challenge_method'), searchParams.get('code_challenge')?.length]).toEqual([
      'S256',
      43,
    ]);
    expect(stored).not.toContain(searchParams.get('state'));
    expect(JSON.parse(stored.slice(stored.indexOf('{'))).sealedVerifier).toMatch(/^v1\./);
    const { headers } = await fetch(body.url, { redirect: 'manual' });
    await app.redis.pexpire(key!, 1);
    await waitFor('the state expires', async () => (await app.redis.exists(key!)) === 0);

    const back = new URL(headers.get('location')!);
    expect((await ann.get(back.pathname + back.search)).body.code).toBe('token.state_invalid');
  });

  it('accepts a state once, also from parallel callbacks', async () => {
    const callback = await consent(ann);

    const answers = await Promise.all(Array.from({ length: 8 }, () => ann.get(callback)));

    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 7 }, () => 400)]);
    expect((await ann.get('/v1/tokens')).body.items).toHaveLength(1);
  });

  it("rejects another user's code with one's own state: PKCE binds them", async () => {
    const bob = await createSignedInCaller(app);
    const [forAnn, forBob] = [await consent(ann), await consent(bob)].map((path) => new URL(path, 'http://x'));
    forAnn!.searchParams.set('code', forBob!.searchParams.get('code')!);

    const answer = await ann.get(forAnn!.pathname + forAnn!.search);

    expect([answer.status, answer.body.code]).toEqual([409, 'token.authorization_denied']);
    for (const user of [ann, bob]) expect((await user.get('/v1/tokens')).body.items).toEqual([]);
    expect((await new Caller(app.url).get(forBob!.pathname + forBob!.search)).status).toBe(401);
  });

  it('forwards Retry-After of a busy provider', async () => {
    const callback = await consent(ann);
    upwork.faults.retryAfter = '90';
    upwork.faults.schedule('token', '429');

    const answer = await ann.get(callback);

    expect([answer.status, answer.body.code, answer.headers.get('retry-after')]).toEqual([
      503,
      'upwork.unavailable',
      '90',
    ]);
  });

  it('reports that the user denied access', async () => {
    const { searchParams } = new URL(`http://x${await consent(ann)}`);
    const answer = await ann.get(`/v1/tokens/upwork/callback?error=access_denied&state=${searchParams.get('state')}`);

    expect([answer.status, answer.body.code, answer.body.detail]).toEqual([
      409,
      'token.authorization_denied',
      'access_denied',
    ]);
  });

  it('needs an API key', async () => {
    const without = await startApp({ sharedWith: app, settings: { UPWORK_CLIENT_ID: '' } });

    const answer = await (await createSignedInCaller(without)).post('/v1/tokens/upwork/authorize');

    expect([answer.status, answer.body.code]).toEqual([503, 'upwork.not_configured']);
    await without.close();
  });
});

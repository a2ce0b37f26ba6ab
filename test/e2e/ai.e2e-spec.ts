import { FAKE_MARKER, startFakeVendors, type FakeVendors } from '../../src/demo/fake-ai/fake-vendors';
import { RedisClients } from '../../src/platform/redis/redis-clients';
import { buildTenantKey } from '../../src/platform/redis/tenant-keys';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { readEvents, joinText } from '../support/server-sent-events';
import { waitFor } from '../support/wait-for';

const DRAFT = { type: 'cover_letter' };

describe('POST /v1/ai/generations', () => {
  let fake: FakeVendors;
  let app: TestApp;
  let user: SignedInCaller;
  beforeAll(async () => {
    fake = await startFakeVendors();
    app = await startApp({ settings: { ...fake.settings, AI_RUNS_PER_USER: '20' } });
  });
  beforeEach(async () => {
    user = await createSignedInCaller(app);
    fake.setBehaviour(() => ({}));
    fake.invoices.length = 0;
  });
  // A call that ends during the next test would add its invoice to that test.
  afterEach(() => waitFor('the providers have ended every call', () => fake.countOpenCalls() === 0));
  afterAll(async () => {
    await app.close();
    await fake.close();
  });

  const waitUntilEnded = (id: number): Promise<Record<string, unknown>> =>
    waitFor('the generation ends', async () => {
      const { body } = await user.get(`/v1/ai/generations/${id}`);
      return body.status !== 'running' && body;
    });

  it('returns the text with its usage and exact cost', async () => {
    const { status, headers, body } = await user.post('/v1/ai/generations', DRAFT);

    const [invoice] = fake.invoices;
    expect([status, headers.get('location')]).toEqual([201, `/v1/ai/generations/${body.id}`]);
    expect(body).toMatchObject({
      status: 'succeeded',
      text: invoice!.text,
      provider: 'openai',
      model: 'gpt-4.1-mini',
      usageIsEstimated: false,
      error: null,
    });
    expect(body.text).toContain(FAKE_MARKER);
    expect(body).toMatchObject({ inputAiTokens: invoice!.inputAiTokens, outputAiTokens: invoice!.outputAiTokens });
    expect(BigInt(body.costUsd.replace('.', ''))).toBe(invoice!.cost);
    const { body: usage } = await user.get('/v1/ai/usage');
    expect(usage.day).toMatchObject({ spentUsd: body.costUsd, budgetUsd: null, limitUsd: '5.00' });
    expect([usage.reservedUsd, usage.models]).toEqual([
      '0.000000000000',
      [expect.objectContaining({ model: 'gpt-4.1-mini', calls: 1, costUsd: body.costUsd })],
    ]);
  });

  it.each(['gpt-4', 'claude', 'gemini'])('supports the protocol of %s', async (model) => {
    const { status, body } = await user.post('/v1/ai/generations', { ...DRAFT, model });

    expect([status, body.status, body.text]).toEqual([201, 'succeeded', fake.invoices[0]!.text]);
    expect(BigInt(body.costUsd.replace('.', ''))).toBe(fake.invoices[0]!.cost);
  });

  it('streams the text as it is written, with ids, and the generation at the end', async () => {
    fake.setBehaviour(() => ({ chunks: ['Dear ', 'client, ', 'hello.'], pauseMs: 5 }));

    const { status, location, events } = await readEvents(`${app.url}/v1/ai/generations`, {
      token: user.token!,
      method: 'POST',
      body: DRAFT,
    });

    expect([status, location]).toEqual([200, `/v1/ai/generations/${events.at(-1)!.data.id}`]);
    expect(events.map(({ id, event }) => [id, event])).toEqual([
      [1, 'delta'],
      [2, 'delta'],
      [3, 'delta'],
      [4, 'done'],
    ]);
    expect(joinText(events)).toBe('Dear client, hello.');
    expect(events.at(-1)!.data).toMatchObject({ status: 'succeeded', text: 'Dear client, hello.' });
  });

  it('is offered as a stream only where there is one', async () => {
    const list = await user.get('/v1/ai/generations', { accept: 'text/event-stream' });

    expect([list.status, list.body.code]).toEqual([406, 'request.not_acceptable']);
  });

  it('continues without its client, and resumes after Last-Event-ID, also on another process', async () => {
    const second = await startApp({ sharedWith: app });
    fake.setBehaviour(() => ({ chunks: ['a', 'b', 'c', 'd', 'e', 'f'], pauseMs: 60 }));

    const { events, location } = await readEvents(`${app.url}/v1/ai/generations`, {
      token: user.token!,
      method: 'POST',
      body: DRAFT,
      take: 2,
    });
    const resume = (url: string, last: number) =>
      readEvents(`${url}${location}/stream`, { token: user.token!, headers: { 'last-event-id': String(last) } });
    const [here, there] = await Promise.all([resume(app.url, 2), resume(second.url, 2)]);
    const late = await resume(second.url, 4);

    expect(joinText(events)).toBe('ab');
    expect([joinText(here.events), joinText(there.events), joinText(late.events)]).toEqual(['cdef', 'cdef', 'ef']);
    expect(there.events.at(-1)).toMatchObject({ event: 'done', data: { status: 'succeeded', text: 'abcdef' } });
    expect(fake.invoices).toHaveLength(1);
    await second.close();
  });

  it('waits for the last chunks when another process sees the end in the database first', async () => {
    const second = await startApp({ sharedWith: app });
    fake.setBehaviour(() => ({ chunks: ['a', 'b', 'c'], pauseMs: 60 }));
    const { body } = await user.post('/v1/ai/generations', DRAFT);
    const redis = app.get(RedisClients).commands;
    const key = buildTenantKey(user.id, `ai:generation:${body.id}`);
    const entries = await redis.xrevrange(key, '+', '-');
    const late = entries.filter(([, fields]) => /"c"|"isLast":true/.test(fields[1]!)).reverse();
    await redis.xdel(key, ...late.map(([id]) => id));

    const stream = readEvents(`${second.url}/v1/ai/generations/${body.id}/stream`, { token: user.token! });
    await waitFor('the reader subscribes', async () => (await redis.pubsub('NUMSUB', key))[1] === 1);
    for (const [, fields] of late) await redis.publish(key, fields[1]!);

    expect(joinText((await stream).events)).toBe('abc');
    await second.close();
  });

  it('is cancelled by DELETE from any process: the call is aborted, the text so far is kept and charged', async () => {
    const second = await startApp({ sharedWith: app });
    for (const api of [app.url, second.url]) {
      const chunks = Array.from({ length: 200 }, (_, i) => `word${i} `);
      fake.setBehaviour(() => ({ chunks, onChunk: (index) => index === 2 && new Promise(() => undefined) }));
      const { body } = await user.post('/v1/ai/generations', DRAFT, { prefer: 'respond-async' });
      await readEvents(`${app.url}/v1/ai/generations/${body.id}/stream`, { token: user.token!, take: 2 });

      const answer = await fetch(`${api}/v1/ai/generations/${body.id}`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${user.token}` },
      });

      const generation = await waitUntilEnded(body.id);
      expect([answer.status, generation.status, generation.usageIsEstimated]).toEqual([204, 'cancelled', true]);
      expect(generation.text).toBe('word0 word1 ');
      expect(Number(generation.costUsd)).toBeGreaterThan(0);
      await waitFor('the provider notices the closed connection', () => fake.countOpenCalls() === 0);
      expect(fake.invoices.at(-1)).toMatchObject({ isComplete: false, text: 'word0 word1 ' });
    }
    const { body: usage } = await user.get('/v1/ai/usage');
    expect(usage.reservedUsd).toBe('0.000000000000');
    await second.close();
  });

  it('returns 202 at once for Prefer: respond-async', async () => {
    let release!: () => void;
    const released = new Promise<void>((resolve) => (release = resolve));
    fake.setBehaviour(() => ({ waitFor: released }));

    const { status, headers, body } = await user.post('/v1/ai/generations', DRAFT, { prefer: 'respond-async' });
    release();

    expect([status, headers.get('location'), body.status]).toEqual([202, `/v1/ai/generations/${body.id}`, 'running']);
    expect(await waitUntilEnded(body.id)).toMatchObject({ status: 'succeeded' });
  });

  it('retries, then calls the next provider, before the first byte, and records every call', async () => {
    fake.setBehaviour(({ vendor }) =>
      vendor === 'openai' ? { status: 503 } : vendor === 'anthropic' ? { cutAtByte: 0 } : {},
    );

    const { body } = await user.post('/v1/ai/generations', DRAFT);

    expect(body).toMatchObject({ status: 'succeeded', provider: 'google' });
    const calls = await app.db.query<{ provider: string; status: string; cost: string }>(
      'superuser',
      'SELECT provider, status, cost FROM ai_calls WHERE generation_id = $1 ORDER BY id',
      [body.id],
    );
    expect(calls.map(({ provider, status }) => `${provider} ${status}`)).toEqual([
      'openai failed',
      'openai failed',
      'anthropic cut',
      'anthropic cut',
      'google succeeded',
    ]);
    expect(fake.invoices.reduce((sum, { cost }) => sum + cost, 0n)).toBe(BigInt(body.costUsd.replace('.', '')));
  });

  it('returns 502 when no provider wrote, keeps the row, and does not retry after the first byte', async () => {
    fake.setBehaviour(() => ({ errorAfter: 3 }));

    const { status, headers, body } = await user.post('/v1/ai/generations', DRAFT);

    expect([status, body.code, fake.invoices.length]).toEqual([502, 'ai.generation_failed', 1]);
    const generation = await user.get(headers.get('location')!);
    expect(generation.body).toMatchObject({
      status: 'failed',
      text: fake.invoices[0]!.text,
      error: 'openai reported an error while writing',
    });
    expect(BigInt(generation.body.costUsd.replace('.', ''))).toBe(fake.invoices[0]!.cost);
  });

  it('returns 402 with the amount left and the renewal, before a provider is called', async () => {
    await user.put('/v1/ai/budget', { dailyUsd: '0.01', monthlyUsd: null });

    const { status, headers, body } = await user.post('/v1/ai/generations', { ...DRAFT, model: 'gpt-4' });

    expect([status, body.code, body.period, body.leftUsd]).toEqual([
      402,
      'ai.budget_exceeded',
      'day',
      '0.010000000000',
    ]);
    expect(new Date(body.renewsAt).getUTCHours()).toBe(0);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(fake.invoices).toEqual([]);
    expect((await user.get('/v1/ai/generations')).body.items).toEqual([]);
  });

  it('runs once per Idempotency-Key, also for parallel requests and as a stream', async () => {
    fake.setBehaviour(() => ({ chunks: ['one ', 'two'], pauseMs: 30 }));
    const key = { 'idempotency-key': 'draft-1' };

    const [a, b] = await Promise.all([
      user.post('/v1/ai/generations', DRAFT, key),
      user.post('/v1/ai/generations', DRAFT, key),
    ]);
    const again = await user.post('/v1/ai/generations', DRAFT, key);
    const streamed = await readEvents(`${app.url}/v1/ai/generations`, {
      token: user.token!,
      method: 'POST',
      body: DRAFT,
      headers: key,
    });
    const other = await user.post('/v1/ai/generations', { type: 'message' }, key);

    expect([a.status, b.status].every((status) => status === 201 || status === 409)).toBe(true);
    expect([again.status, again.headers.get('idempotent-replayed'), again.body.text]).toEqual([201, 'true', 'one two']);
    expect(streamed.events.at(-1)!.data.id).toBe(again.body.id);
    expect([other.status, other.body.code]).toEqual([422, 'idempotency.key_reused']);
    expect(fake.invoices).toHaveLength(1);
  });

  it('is hidden from other tenants: 404 to get, stream, cancel and accept', async () => {
    const { body } = await user.post('/v1/ai/generations', DRAFT);
    const stranger = await createSignedInCaller(app);
    const path = `/v1/ai/generations/${body.id}`;

    const answers = await Promise.all([
      stranger.get(path),
      stranger.get(`${path}/stream`),
      stranger.delete(path),
      stranger.post(`${path}/accept`, { proposalId: 1 }),
    ]);

    expect(answers.map(({ status, body: { code } }) => [status, code])).toEqual(
      Array(4).fill([404, 'ai.generation_not_found']),
    );
    expect((await stranger.get('/v1/ai/generations')).body.items).toEqual([]);
  });

  it('rejects an unknown job, template or model', async () => {
    const answers = await Promise.all(
      [{ jobId: 999 }, { templateId: 999 }, { model: 'nothing' }].map((wrong) =>
        user.post('/v1/ai/generations', { ...DRAFT, ...wrong }),
      ),
    );

    expect(answers.map(({ status, body }) => [status, body.errors[0].pointer])).toEqual([
      [422, '/jobId'],
      [422, '/templateId'],
      [422, '/model'],
    ]);
  });

  it('stores broken texts: removes NUL and joins split surrogate pairs', async () => {
    fake.setBehaviour(() => ({ chunks: ['a\0b ', '\ud83d', '\ude00', ' end \ud800'] }));

    const { body } = await user.post('/v1/ai/generations', { ...DRAFT, model: 'gpt-4o-mini' });

    expect(body.text).toBe('ab 😀 end \ufffd');
  });

  it('holds no database connection while providers write', async () => {
    let [writing, release] = [0, (): void => undefined];
    const released = new Promise<void>((resolve) => (release = resolve));
    const hold = (index: number): unknown => index === 5 && ((writing += 1), released);
    fake.setBehaviour(() => ({ chunks: Array(40).fill('x '), onChunk: hold }));
    await Promise.all(
      Array.from({ length: 20 }, () => user.post('/v1/ai/generations', DRAFT, { prefer: 'respond-async' })),
    );
    await waitFor('20 providers write', () => writing === 20);

    // The application also opens other transactions, but only short ones.
    await waitFor('no transaction is open', async () => {
      const open = await app.db.query(
        'superuser',
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'`,
      );
      return open.length === 0;
    });

    expect(fake.countOpenCalls()).toBe(20);
    release();
  });
});

describe('an installation without a provider', () => {
  it('returns 503 and names the settings; models list the missing ones', async () => {
    const app = await startApp({ settings: { AI_PROVIDERS: 'anthropic,google' } });
    const user = await createSignedInCaller(app);

    const draft = await user.post('/v1/ai/generations', DRAFT);
    const named = await user.post('/v1/ai/generations', { ...DRAFT, model: 'claude' });
    const models = await user.get('/v1/ai/models');

    expect([draft.status, draft.body.code, draft.body.detail]).toEqual([
      503,
      'ai.not_configured',
      'AI is not set up on this server. Its operator must set one of AI_ANTHROPIC_API_KEY, AI_GOOGLE_API_KEY.',
    ]);
    expect([named.status, named.body.code]).toEqual([503, 'ai.model_unavailable']);
    expect(models.body.items).toContainEqual(
      expect.objectContaining({
        id: 'claude',
        provider: 'anthropic',
        isAvailable: false,
        missingSetting: 'AI_ANTHROPIC_API_KEY',
      }),
    );
    await app.close();
  });
});

describe('a local server with the protocol of OpenAI', () => {
  it('is a separate provider, without a key and free of charge', async () => {
    const fake = await startFakeVendors();
    const app = await startApp({
      settings: { AI_PROVIDERS: 'local', AI_LOCAL_BASE_URL: `${fake.url}/openai/v1`, AI_LOCAL_MODEL: 'gpt-4' },
    });
    const user = await createSignedInCaller(app);

    const { body } = await user.post('/v1/ai/generations', DRAFT);

    expect(body).toMatchObject({ status: 'succeeded', provider: 'local', model: 'gpt-4', costUsd: '0.000000000000' });
    await app.close();
    await fake.close();
  });
});

import { startFakeVendors, type FakeVendors } from '../../src/demo/fake-ai/fake-vendors';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { readEvents } from '../support/server-sent-events';

const DRAFT = { type: 'message', model: 'gpt-4' };
const AT_ONCE = { prefer: 'respond-async' };

describe('limits on concurrent drafts and event streams', () => {
  let fake: FakeVendors;
  let app: TestApp;
  let user: SignedInCaller;
  beforeAll(async () => {
    fake = await startFakeVendors();
    app = await startApp({ settings: { ...fake.settings, AI_RUNS_PER_USER: '2', AI_STREAMS_PER_USER: '2' } });
  });
  beforeEach(async () => {
    user = await createSignedInCaller(app);
    fake.invoices.length = 0;
  });
  afterAll(async () => {
    // Ends drafts that wait for a provider.
    await fake.close();
    await app.close();
  });

  /** Holds providers back until `release` is called; collects the instructions of prompts that arrived. */
  function holdProviders(): { arrived: string[]; release: () => void } {
    const arrived: string[] = [];
    let release = (): void => undefined;
    const after = new Promise<void>((resolve) => (release = resolve));
    fake.setBehaviour(({ prompt }) => {
      arrived.push(/<wishes>\n(.*)\n/.exec(prompt)?.[1] ?? '');
      return { waitFor: after };
    });
    return { arrived, release };
  }

  /** Repeats a request until its answer matches. */
  async function until<T>(ask: () => Promise<T>, fits: (answer: T) => boolean): Promise<T> {
    for (;;) {
      const answer = await ask();
      if (fits(answer)) return answer;
    }
  }

  const draft = (caller: SignedInCaller, instructions: string) =>
    caller.post('/v1/ai/generations', { ...DRAFT, instructions }, AT_ONCE);
  const waitUntilEnded = (caller: SignedInCaller, id: number) =>
    until(
      () => caller.get(`/v1/ai/generations/${id}`),
      ({ body }) => body.status !== 'running',
    );

  it('runs some drafts, queues some and rejects the rest, without delaying other users', async () => {
    const { arrived, release } = holdProviders();
    const mine = [];
    for (const name of ['a1', 'a2', 'a3', 'a4', 'a5']) mine.push(await draft(user, name));
    const other = await createSignedInCaller(app);
    const theirs = await draft(other, 'b1');
    await until(
      () => other.get('/v1/users/me'),
      () => arrived.includes('b1'),
    );

    expect(mine.map(({ status }) => status)).toEqual([202, 202, 202, 202, 429]);
    expect([mine[4]!.body.code, mine[4]!.headers.get('retry-after')]).toEqual(['rate.too_many_at_once', '10']);
    expect([...arrived].sort()).toEqual(['a1', 'a2', 'b1']);
    const cancelled = await user.delete(`/v1/ai/generations/${mine[3]!.body.id}`);
    expect([cancelled.status, (await user.get(`/v1/ai/generations/${mine[3]!.body.id}`)).body]).toEqual([
      204,
      expect.objectContaining({ status: 'cancelled', costUsd: '0.000000000000' }),
    ]);

    release();
    for (const { body } of mine.slice(0, 3))
      expect((await waitUntilEnded(user, body.id)).body.status).toBe('succeeded');
    expect((await waitUntilEnded(other, theirs.body.id)).body.status).toBe('succeeded');
    expect(arrived).toHaveLength(4);
    expect((await user.get('/v1/ai/usage')).body.reservedUsd).toBe('0.000000000000');
  });

  it('releases the slot when the budget is exceeded', async () => {
    fake.setBehaviour(() => ({}));
    await user.put('/v1/ai/budget', { dailyUsd: '0.01' });
    for (let i = 0; i < 5; i += 1) expect((await draft(user, 'x')).status).toBe(402);
    await user.put('/v1/ai/budget', { dailyUsd: null });

    expect((await user.post('/v1/ai/generations', DRAFT)).status).toBe(201);
  });

  it('limits open event streams and allows new ones after they close', async () => {
    fake.setBehaviour(() => ({ stallAfter: 1 }));
    const { body } = await draft(user, 'x');
    const url = `${app.url}/v1/ai/generations/${body.id}/stream`;
    const headers = { authorization: `Bearer ${user.token}` };
    const leave = new AbortController();
    const open = await Promise.all([1, 2].map(() => fetch(url, { headers, signal: leave.signal })));
    const refused = await fetch(url, { headers });

    expect([...open.map(({ status }) => status), refused.status]).toEqual([200, 200, 429]);
    expect(await refused.json()).toMatchObject({ code: 'rate.too_many_at_once' });
    const begun = await user.post('/v1/ai/generations', DRAFT, { accept: 'text/event-stream' });
    expect(begun.status).toBe(429);

    leave.abort();
    const again = new AbortController();
    await until(
      () => fetch(url, { headers, signal: again.signal }),
      ({ status }) => status === 200,
    );
    again.abort();
    await user.delete(`/v1/ai/generations/${body.id}`);
  });

  it('ends a stream when its session ends', async () => {
    fake.setBehaviour(() => ({ chunks: ['one ', 'two '], stallAfter: 1 }));
    const { body } = await draft(user, 'x');
    const { events } = await readEvents(`${app.url}/v1/ai/generations/${body.id}/stream`, {
      token: user.token!,
      onEvent: (_, index) => index === 0 && user.delete(`/v1/auth/sessions/${user.sessionId}`),
    });

    expect(events.at(-1)).toMatchObject({ event: 'end', data: {} });
    const [row] = await app.db.query<{ status: string }>(
      'superuser',
      'SELECT status FROM ai_generations WHERE id = $1',
      [body.id],
    );
    expect(row!.status).toBe('running');
  });
});

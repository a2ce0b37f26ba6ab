import { startFakeVendors, type FakeVendors } from '../../src/demo/fake-ai/fake-vendors';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { readEvents } from '../support/server-sent-events';

const DRAFT = { type: 'message', model: 'gpt-4' };
const AT_ONCE = { prefer: 'respond-async' };

describe('a user who wants many drafts at once', () => {
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
    // A draft that waits for its vendor ends with it.
    await fake.close();
    await app.close();
  });

  /** Lets vendors begin when it is called, and says which prompts have arrived. */
  function heldVendors(): { arrived: string[]; letGo: () => void } {
    const arrived: string[] = [];
    let letGo = (): void => undefined;
    const after = new Promise<void>((resolve) => (letGo = resolve));
    fake.setBehaviour(({ prompt }) => {
      arrived.push(/<wishes>\n(.*)\n/.exec(prompt)?.[1] ?? '');
      return { waitFor: after };
    });
    return { arrived, letGo };
  }

  /** Asks until an answer fits; each question waits for its answer. */
  async function until<T>(ask: () => Promise<T>, fits: (answer: T) => boolean): Promise<T> {
    for (;;) {
      const answer = await ask();
      if (fits(answer)) return answer;
    }
  }

  const draft = (caller: SignedInCaller, instructions: string) =>
    caller.post('/v1/ai/generations', { ...DRAFT, instructions }, AT_ONCE);
  const ended = (caller: SignedInCaller, id: number) =>
    until(
      () => caller.get(`/v1/ai/generations/${id}`),
      ({ body }) => body.status !== 'running',
    );

  it('has some written, some waiting and the rest refused, and holds up nobody else', async () => {
    const { arrived, letGo } = heldVendors();
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

    letGo();
    for (const { body } of mine.slice(0, 3)) expect((await ended(user, body.id)).body.status).toBe('succeeded');
    expect((await ended(other, theirs.body.id)).body.status).toBe('succeeded');
    expect(arrived).toHaveLength(4);
    expect((await user.get('/v1/ai/usage')).body.reservedUsd).toBe('0.000000000000');
  });

  it('gives a place back when the budget refuses', async () => {
    fake.setBehaviour(() => ({}));
    await user.put('/v1/ai/budget', { dailyUsd: '0.01' });
    for (let i = 0; i < 5; i += 1) expect((await draft(user, 'x')).status).toBe(402);
    await user.put('/v1/ai/budget', { dailyUsd: null });

    expect((await user.post('/v1/ai/generations', DRAFT)).status).toBe(201);
  });

  it('may have some event streams open, and others again when these are closed', async () => {
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

  it('sees a stream end when the session ends', async () => {
    fake.setBehaviour(() => ({ chunks: ['one ', 'two '], stallAfter: 1 }));
    const { body } = await draft(user, 'x');
    const stream = readEvents(`${app.url}/v1/ai/generations/${body.id}/stream`, { token: user.token! });
    await user.delete(`/v1/auth/sessions/${user.sessionId}`);

    expect((await stream).events.at(-1)).toMatchObject({ event: 'end', data: {} });
    const [row] = await app.db.query<{ status: string }>(
      'superuser',
      'SELECT status FROM ai_generations WHERE id = $1',
      [body.id],
    );
    expect(row!.status).toBe('running');
  });
});

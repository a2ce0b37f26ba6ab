import { randomUUID } from 'node:crypto';
import type { FakeUpwork } from '../../src/demo/fake-upwork/fake-upwork';
import { UpworkClientService } from '../../src/upwork/upwork-client.service';
import { buildDayKey, UpworkRateLimiterService } from '../../src/upwork/upwork-rate-limiter.service';
import type { SignedInCaller } from '../support/accounts';
import type { Answer } from '../support/caller';
import type { TestApp } from '../support/test-app';
import type { ManualWorker } from '../support/test-worker';
import { startUpworkApp, type UpworkApp } from '../support/upwork-app';
import { advanceRefreshTime } from '../support/upwork-connections';

const DAY_MS = 86_400_000;
const NEXT_SLOT_KEY = 'upwork-calls:next';

describe('replies to conversations on Upwork', () => {
  let upworkApp: UpworkApp;
  let upwork: FakeUpwork;
  let app: TestApp;
  let worker: ManualWorker;
  let ann: SignedInCaller;
  let roomId: string;

  beforeAll(async () => {
    upworkApp = await startUpworkApp();
    ({ upwork, app, worker } = upworkApp);
  });
  beforeEach(async () => {
    ann = await upworkApp.connectUser();
    const { marketplace } = upwork;
    const proposal = marketplace.submit(ann.email, marketplace.publish({ title: 'A job' }).id, 'Hello', '10.00');
    marketplace.writeMessage(proposal.id, 'client', 'When can you start?');
    roomId = marketplace.rooms[0]!.id;
    await synchronize('proposals');
    await synchronize('messages');
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await app.redis.del(NEXT_SLOT_KEY);
    await upworkApp.reset();
  });
  afterAll(() => upworkApp.close());

  const synchronize = (kind: 'proposals' | 'messages') => upworkApp.synchronize(ann, kind);

  const send = (content: string, headers?: Record<string, string>) =>
    ann.post('/v1/messages', { roomId, content, send: true }, headers);
  const read = async (id: number): Promise<Answer['body']> => (await ann.get(`/v1/messages/${id}`)).body;

  /** Lets the time of the next search come, and runs the task. */
  async function search(): Promise<void> {
    await app.db.query('superuser', 'UPDATE messages SET next_check_at = now() WHERE next_check_at IS NOT NULL');
    await worker.runTask('check-deliveries');
  }

  /** Returns how many searches for a reply began, and the hours until the next one. */
  async function readChecks(id: number) {
    const [row] = await app.db.query<{ checks: number; hours: number | null }>(
      'superuser',
      `SELECT delivery_checks AS checks, (extract(epoch FROM next_check_at - now()) / 3600)::float8 AS hours
       FROM messages WHERE id = $1`,
      [id],
    );
    return row!;
  }

  it('are sent once, to a room or about a job, and the synchronisation finds them unchanged', async () => {
    const { status, body } = await send('On Monday.\r\nRegards');

    expect([status, body.delivery, body.deliveryError]).toEqual([201, 'sent', null]);
    expect(body).toMatchObject({ senderType: 'freelancer', content: 'On Monday.\nRegards', isRead: true, roomId });
    const [conversation] = (await ann.get('/v1/conversations')).body.items;
    expect(conversation).toMatchObject({ lastText: 'On Monday.\nRegards', waitingFor: 'client' });
    const { body: second } = await ann.post('/v1/messages', {
      jobId: conversation.jobId,
      content: 'Or on Tuesday.',
      send: true,
    });
    expect(second).toMatchObject({ delivery: 'sent', roomId, jobId: conversation.jobId });
    expect(await synchronize('messages')).toMatchObject({ figures: { created: 0, updated: 0 } });
    expect(upwork.marketplace.countMessages('Or on Tuesday.')).toBe(1);
  });

  it('are sent once for an Idempotency-Key', async () => {
    const key = { 'idempotency-key': randomUUID() };

    const first = await send('Only once.', key);
    const second = await send('Only once.', key);

    expect(second.body).toEqual(first.body);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(upwork.marketplace.countMessages('Only once.')).toBe(1);
  });

  it.each(['lost', 'cut', '500', 'empty'] as const)(
    'are unknown without a usable answer (%s), and never sent again unasked',
    async (fault) => {
      const text = `Are you there? ${fault}`;
      upwork.faults.schedule('graphql', fault);

      const { body } = await send(text);

      expect(body).toMatchObject({ delivery: 'unknown', deliveryError: expect.any(String) });
      const reached = fault === 'lost' ? 1 : 0;
      expect(upwork.marketplace.countMessages(text)).toBe(reached);
      expect((await send(text)).body.code).toBe('message.undecided');
      await search();
      expect((await read(body.id)).delivery).toBe(reached ? 'sent' : 'unknown');
      expect(await synchronize('messages')).toMatchObject({ figures: { created: 0 } });
      expect(upwork.marketplace.countMessages(text)).toBe(reached);
    },
  );

  it('stay unknown after five searches, until the user sends or discards them', async () => {
    upwork.faults.schedule('graphql', 'cut', 1);
    const { body } = await send('Once more?');
    for (let n = 0; n < 6; n++) await search();
    expect(await readChecks(body.id)).toEqual({ checks: 5, hours: null });

    const resent = await ann.post(`/v1/messages/${body.id}/resend`);

    expect([resent.status, resent.body.delivery]).toEqual([200, 'sent']);
    expect(upwork.marketplace.countMessages('Once more?')).toBe(1);
    expect((await ann.post(`/v1/messages/${body.id}/resend`)).body.code).toBe('message.not_sendable');
    expect((await ann.post(`/v1/messages/${body.id}/discard`)).body.code).toBe('message.not_sendable');

    upwork.faults.schedule('graphql', 'cut', 1);
    const other = await send('Never mind.');
    const discarded = await ann.post(`/v1/messages/${other.body.id}/discard`);
    expect(discarded.body).toMatchObject({ delivery: 'failed', deliveryError: 'You discarded it.' });
    expect((await ann.get('/v1/conversations')).body.items[0].lastText).toBe('Once more?');
  });

  it.each(['resend', 'discard'])('are not sent again when their room has them, after %s too', async (first) => {
    const text = `It arrived: ${first}`;
    upwork.faults.schedule('graphql', 'lost');
    const { body } = await send(text);
    if (first === 'discard') await ann.post(`/v1/messages/${body.id}/discard`);

    const resent = await ann.post(`/v1/messages/${body.id}/resend`);

    expect(resent.body.delivery).toBe('sent');
    expect(upwork.marketplace.countMessages(text)).toBe(1);
  });

  it('are found where the room has a hundred newer messages', async () => {
    const text = 'In a long room.';
    upwork.faults.schedule('graphql', 'lost');
    const { body } = await send(text);
    const { proposalId } = upwork.marketplace.rooms[0]!;
    for (let n = 0; n < 110; n++) upwork.marketplace.writeMessage(proposalId, 'client', `Message ${n}`);

    const resent = await ann.post(`/v1/messages/${body.id}/resend`);

    expect([resent.body.delivery, upwork.marketplace.countMessages(text)]).toEqual(['sent', 1]);
  });

  it('that were discarded are shown as sent when a synchronisation finds them, each with its own text', async () => {
    upwork.faults.schedule('graphql', 'lost');
    const discarded = await send('Twice.');
    await ann.post(`/v1/messages/${discarded.body.id}/discard`);
    upwork.faults.schedule('graphql', 'lost');
    const second = await send('Twice.');
    // Both stories are nearer to the second call than to the first.
    const earlier = `UPDATE messages SET attempted_at = attempted_at - interval '30 seconds' WHERE id = $1`;
    await app.db.query('superuser', earlier, [discarded.body.id]);

    expect(await synchronize('messages')).toMatchObject({ figures: { created: 0 } });

    expect([(await read(discarded.body.id)).delivery, (await read(second.body.id)).delivery]).toEqual(['sent', 'sent']);
    expect(upwork.marketplace.countMessages('Twice.')).toBe(2);
  });

  it('are not the last message when they failed, and follow later messages when they are sent again', async () => {
    upwork.faults.schedule('graphql', '429');
    const { body } = await send('At last.');
    const findConversation = async () => (await ann.get('/v1/conversations')).body.items[0];
    expect([body.delivery, await findConversation()]).toMatchObject([
      'failed',
      { lastText: 'When can you start?', waitingFor: 'freelancer' },
    ]);
    const { proposalId } = upwork.marketplace.rooms[0]!;
    upwork.marketplace.writeMessage(proposalId, 'client', 'Are you there?');
    await synchronize('messages');

    await ann.post(`/v1/messages/${body.id}/resend`);

    expect(await findConversation()).toMatchObject({ lastText: 'At last.', waitingFor: 'client' });
    const { items } = (await ann.get('/v1/messages')).body;
    expect(items.map(({ content }: { content: string }) => content).slice(0, 2)).toEqual([
      'At last.',
      'Are you there?',
    ]);
  });

  it('leave no last message in a conversation where the only one failed', async () => {
    await app.db.query('superuser', 'DELETE FROM messages WHERE user_id = $1', [ann.id]);
    upwork.faults.schedule('graphql', '429');

    await send('The first.');

    const [conversation] = (await ann.get('/v1/conversations')).body.items;
    expect(conversation).toMatchObject({ lastText: null, waitingFor: null, lastActivityAt: conversation.createdAt });
  });

  it('and searches for them get a new access token when theirs is void', async () => {
    upwork.grants.expireAll();
    const sent = await send('With a new token.');
    expect([sent.body.delivery, upwork.marketplace.countMessages('With a new token.')]).toEqual(['sent', 1]);
    upwork.faults.schedule('graphql', 'lost');
    const { body } = await send('Searched with a new token.');
    const [{ id: tokenId }] = (await ann.get('/v1/tokens')).body.items;
    await advanceRefreshTime(app, tokenId);
    upwork.grants.expireAll();

    await search();

    expect((await read(body.id)).delivery).toBe('sent');
  });

  it('fail when the connection must be renewed', async () => {
    upwork.grants.revokeAll();

    const { body } = await send('Without a connection.');

    expect(body).toMatchObject({ delivery: 'failed', deliveryError: expect.stringMatching(/connect/i) });
    expect(upwork.marketplace.countMessages('Without a connection.')).toBe(0);
  });

  it.each(['permission-missing', 'no connection'])('are searched five times when that fails: %s', async (failure) => {
    upwork.faults.schedule('graphql', 'cut', 1);
    const { body } = await send(`Unreadable: ${failure}`);
    if (failure === 'no connection') await app.db.query('superuser', 'DELETE FROM user_tokens');
    upwork.calls.length = 0;

    for (let n = 0; n < 6; n++) {
      if (failure !== 'no connection') upwork.cases.serve(failure);
      await search();
    }

    expect([await readChecks(body.id), upwork.calls.length]).toEqual([
      { checks: 5, hours: null },
      failure === 'no connection' ? 0 : 5,
    ]);
  });

  describe('at noon (UTC)', () => {
    const limiters = () => [app, worker].map((process) => process.get(UpworkRateLimiterService));

    beforeEach(() => {
      const clockOffsetMs = DAY_MS / 2 - (Date.now() % DAY_MS);
      for (const limiter of limiters()) limiter.clockOffsetMs = clockOffsetMs;
    });
    afterEach(async () => {
      for (const limiter of limiters()) limiter.clockOffsetMs = 0;
      await app.redis.del(buildDayKey(upwork.grants.clientId));
    });

    it("leave the day's last calls to users, and are searched when the calls start again", async () => {
      upwork.faults.schedule('graphql', 'lost');
      const { body } = await send('Later.');
      const [limiter] = limiters();
      const today = Math.floor((Date.now() + limiter!.clockOffsetMs) / DAY_MS);
      await app.redis.hset(buildDayKey(upwork.grants.clientId), { day: today, used: 36_000 });
      upwork.calls.length = 0;

      for (let n = 0; n < 6; n++) await search();

      const row = await readChecks(body.id);
      expect([row.checks, upwork.calls]).toEqual([0, []]);
      expect(row.hours).toBeGreaterThan(11);
      expect(row.hours).toBeLessThanOrEqual(12);
      const resent = await ann.post(`/v1/messages/${body.id}/resend`);
      expect([resent.body.delivery, upwork.marketplace.countMessages('Later.')]).toEqual(['sent', 1]);
    });
  });

  it('are searched when the next slot for a call is farther than a poll waits', async () => {
    upwork.faults.schedule('graphql', 'lost');
    const { body } = await send('In a busy minute.');
    const [limiter, client] = [worker.get(UpworkRateLimiterService), worker.get(UpworkClientService)];
    const [{ maxPollingWaitMs }, { retryDelaysMs }] = [limiter, client];
    limiter.maxPollingWaitMs = 100;
    client.retryDelaysMs = [];
    await app.redis.set(NEXT_SLOT_KEY, Date.now() + 1_000);

    await search();
    limiter.maxPollingWaitMs = maxPollingWaitMs;
    client.retryDelaysMs = retryDelaysMs;

    expect((await read(body.id)).delivery).toBe('sent');
  });

  it('are searched by the next run when a run has no time for it', async () => {
    upwork.faults.schedule('graphql', 'lost');
    const { body } = await send('In the next run.');
    upwork.calls.length = 0;
    const timer = jest.spyOn(AbortSignal, 'timeout').mockReturnValueOnce(AbortSignal.abort());

    await search();

    expect([await readChecks(body.id), upwork.calls]).toMatchObject([{ checks: 0 }, []]);
    timer.mockRestore();
    await search();
    expect((await read(body.id)).delivery).toBe('sent');
  });

  it('have one row when a synchronisation stores one with a changed text during the call', async () => {
    upwork.transformResponse = async ({ operation }, answer) => {
      if (operation !== 'SendMessage') return answer;
      upwork.marketplace.rooms[0]!.stories[0]!.message = 'See [link removed].';
      await synchronize('messages');
      return answer;
    };

    const { body } = await send('See https://example.com.');

    expect(body).toMatchObject({ delivery: 'sent', content: 'See [link removed].' });
    const { items } = (await ann.get('/v1/messages')).body;
    expect(items.map(({ id, senderType }: Answer['body']) => [id, senderType])).toEqual([
      [body.id, 'freelancer'],
      [expect.any(Number), 'client'],
    ]);
    const [conversation] = (await ann.get('/v1/conversations')).body.items;
    expect(conversation).toMatchObject({ lastText: 'See [link removed].', waitingFor: 'client' });
    expect(await synchronize('messages')).toMatchObject({ figures: { created: 0, updated: 0 } });
    const rows = await app.db.query(
      'superuser',
      'SELECT fetched_at IS NOT NULL AS "isFetched", upwork_message_id AS id FROM messages WHERE id = $1',
      [body.id],
    );
    expect(rows).toEqual([{ isFetched: true, id: upwork.marketplace.rooms[0]!.stories[0]!.id }]);
    const audited = await app.db.query(
      'superuser',
      `SELECT action, count(*)::int FROM audit_logs WHERE table_name = 'messages' AND record_id >= $1
       GROUP BY 1 ORDER BY 1`,
      [body.id],
    );
    expect(audited).toEqual([
      { action: 'DELETE', count: 1 },
      { action: 'INSERT', count: 2 },
      { action: 'UPDATE', count: 1 },
    ]);
  });

  it('are unknown after a process died during the call, and found by the synchronisation', async () => {
    const { body } = await send('The process dies.');
    await app.db.query(
      'superuser',
      `UPDATE messages SET delivery = 'sending', upwork_message_id = NULL, next_check_at = now() WHERE id = $1`,
      [body.id],
    );

    expect(await synchronize('messages')).toMatchObject({ figures: { created: 0 } });

    expect((await read(body.id)).delivery).toBe('sent');
  });

  it.each([
    ['permission-missing', /permission for [\w.]+/],
    ['429', /no more calls/],
  ])('fail when Upwork refuses the call: %s', async (failure, reason) => {
    if (failure === '429') upwork.faults.schedule('graphql', '429');
    else upwork.cases.serve(failure);

    const text = `May I write? ${failure}`;
    const { body } = await send(text);

    expect(body).toMatchObject({ delivery: 'failed', deliveryError: expect.stringMatching(reason) });
    expect(upwork.marketplace.countMessages(text)).toBe(0);
    expect((await ann.post(`/v1/messages/${body.id}/resend`)).status).toBe(200);
  });

  it.each([
    [{ send: true, content: 'x' }, '/roomId'],
    [{ send: true, content: 'x', roomId: 'r', jobId: 1 }, '/roomId'],
    [{ send: true, content: 'x', roomId: 'r', senderType: 'client' }, '/senderType'],
    [{ send: true, content: 'x', roomId: 'r' }, '/roomId'],
    [{ send: true, content: 'x', jobId: 999_999 }, '/jobId'],
    [{ content: 'x', roomId: 'r', senderType: 'client' }, '/roomId'],
    [{ content: 'x' }, '/senderType'],
  ])('are rejected with a pointer: %j', async (body, pointer) => {
    const { status, body: problem } = await ann.post('/v1/messages', body);

    expect([400, 422]).toContain(status);
    expect(problem.errors).toMatchObject([{ pointer }]);
  });
});

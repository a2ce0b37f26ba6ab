import { UpworkClientService } from '../../src/upwork/upwork-client.service';
import { CURRENT_USER } from '../../src/upwork/documents/account.documents';
import { SEARCH_JOBS } from '../../src/upwork/documents/jobs.documents';
import { UpworkRateLimiterService } from '../../src/upwork/upwork-rate-limiter.service';
import { FakeUpwork } from '../../src/demo/fake-upwork/fake-upwork';
import { startApp, type TestApp } from '../support/test-app';

/** Tolerance for Node timers that fire early, rounded to whole milliseconds on both clocks. */
const TIMER_MS = 3;

/** Interval of the calls of all processes. */
const INTERVAL_MS = 20;

/** Redis key of the next free time slot. */
const NEXT_KEY = 'upwork-calls:next';

describe(UpworkClientService.name, () => {
  let upwork: FakeUpwork;
  let app: TestApp;
  let second: TestApp;

  beforeAll(async () => {
    upwork = await new FakeUpwork().start();
    app = await startApp({ settings: { ...upwork.settings, UPWORK_REQUESTS_PER_SECOND: String(1_000 / INTERVAL_MS) } });
    second = await startApp({ sharedWith: app });
    for (const process of [app, second]) process.get(UpworkClientService).retryDelaysMs = [1, 1];
    upwork.limitPerSecond = 1_000;
  });
  beforeEach(() => {
    upwork.faults.clear();
    upwork.calls.length = 0;
  });
  afterAll(async () => {
    await second.close();
    await app.close();
    await upwork.stop();
  });

  const buildCaller = (userId = 1) => ({
    userId,
    accessToken: upwork.grants.issueTokens('ann').accessToken,
    organizationId: 'org-1',
  });
  const call = (by = app, userId = 1) => by.get(UpworkClientService).call(CURRENT_USER, {}, buildCaller(userId));

  it('shares one rate between all processes', async () => {
    const first = Date.now() + 1_000;
    await app.redis.set(NEXT_KEY, first);

    await Promise.all(Array.from({ length: 40 }, (_, i) => call(i % 2 ? app : second)));

    // A slow machine delays calls, but none is early.
    expect(Number(await app.redis.get(NEXT_KEY))).toBeGreaterThanOrEqual(first + 40 * INTERVAL_MS);
    const times = upwork.calls.map(({ at }) => at).sort((a, b) => a - b);
    expect(times).toHaveLength(40);
    expect(times.filter((at, place) => at < first + place * INTERVAL_MS - TIMER_MS)).toEqual([]);
  });

  it('waits as long as Upwork asks, in every process, and sends the tenant', async () => {
    upwork.faults.retryAfter = '1';
    upwork.faults.schedule('graphql', '429');

    await call();
    const [refused, again] = upwork.calls;

    expect(again!.at - refused!.at).toBeGreaterThanOrEqual(900);
    expect(again!.tenant).toBe('org-1');
  });

  it.each([
    ['html', 'unusable', 'CurrentUser: Upwork answered 200 with text/html instead of JSON'],
    ['empty', 'unusable', "CurrentUser: Upwork's answer has an unexpected shape at its top"],
  ] as const)('reports what is wrong with %s, without a retry', async (fault, kind, message) => {
    upwork.faults.schedule('graphql', fault);

    await expect(call()).rejects.toMatchObject({ name: 'UpworkError', kind, message });
    expect(upwork.calls).toHaveLength(1);
  });

  it('tries three times, then pauses calls to a service that is down', async () => {
    const third = await startApp({ sharedWith: app });
    third.get(UpworkClientService).retryDelaysMs = [1, 1];
    upwork.faults.schedule('graphql', '500', 3);
    upwork.faults.schedule('graphql', 'cut', 3);
    await expect(call(third)).rejects.toMatchObject({ kind: 'unavailable', message: 'Upwork answered 503' });
    await expect(call(third)).rejects.toMatchObject({ kind: 'unavailable' });
    const calls = upwork.calls.length;

    await expect(call(third)).rejects.toMatchObject({
      kind: 'unavailable',
      message: 'Upwork is not answering. Calls resume automatically',
    });

    expect(calls).toBe(5);
    expect(upwork.calls).toHaveLength(calls);
    upwork.faults.clear();
    // Failures of one tenant affect that tenant only.
    await expect(call(third, 2)).resolves.toBeDefined();
    await third.close();
  });

  it('counts no failure of Upwork for answers that report one: other calls continue', async () => {
    for (let n = 0; n < 6; n++) upwork.cases.serve('failure-as-an-answer');
    const search = () => app.get(UpworkClientService).call(SEARCH_JOBS, { filter: {} }, buildCaller(9));
    for (let n = 0; n < 2; n++) await expect(search()).rejects.toMatchObject({ kind: 'unavailable' });

    expect(upwork.calls).toHaveLength(6);
    await expect(call(app, 9)).resolves.toBeDefined();
  });

  it('lets a task wait until a slot is near, and a user not', async () => {
    const caller = { ...buildCaller(10), isPolling: true };
    const callAs = (fields: object) => app.get(UpworkClientService).call(CURRENT_USER, {}, { ...caller, ...fields });
    const limiter = app.get(UpworkRateLimiterService);
    const client = app.get(UpworkClientService);
    const [{ maxPollingWaitMs }, { retryDelaysMs }] = [limiter, client];
    client.retryDelaysMs = [];

    await app.redis.set(NEXT_KEY, Date.now() + 110_000);
    await expect(callAs({ isPolling: false })).rejects.toMatchObject({ kind: 'limited' });
    await expect(callAs({})).rejects.toMatchObject({ kind: 'limited' });
    limiter.maxPollingWaitMs = 100;
    const next = Date.now() + 1_000;
    await app.redis.set(NEXT_KEY, next);
    await expect(callAs({ isInBackground: true })).resolves.toBeDefined();
    limiter.maxPollingWaitMs = maxPollingWaitMs;
    client.retryDelaysMs = retryDelaysMs;
    expect(upwork.calls[0]!.at).toBeGreaterThanOrEqual(next - TIMER_MS);
  });

  it.each([
    ['organizationId', { organizationId: '漢字' }],
    ['organizationId', { organizationId: 'a\r\nb: c' }],
    ['access token', { accessToken: 'a b' }],
  ])('makes no call when the %s is invalid in a header, and counts no failure of Upwork', async (what, wrong) => {
    for (let n = 0; n < 10; n++) {
      await expect(
        app.get(UpworkClientService).call(CURRENT_USER, {}, { ...buildCaller(3), ...wrong }),
      ).rejects.toMatchObject({
        kind: 'unusable',
        message: `The connection's ${what} cannot be sent to Upwork. Connect Upwork again.`,
      });
    }

    expect(upwork.calls).toEqual([]);
    await expect(call(app, 3)).resolves.toBeDefined();
  });

  it('counts no failure of Upwork for refusals, other 4xx and invalid bodies', async () => {
    for (const [fault, kind] of [
      ['html', 'unusable'],
      ['empty', 'unusable'],
    ] as const) {
      upwork.faults.schedule('graphql', fault, 6);
      for (let n = 0; n < 6; n++) await expect(call(app, 4)).rejects.toMatchObject({ kind });
    }
    for (let n = 0; n < 6; n++) {
      await expect(
        app.get(UpworkClientService).call(CURRENT_USER, {}, { ...buildCaller(4), accessToken: 'nobody' }),
      ).rejects.toMatchObject({ kind: 'refused' });
    }

    await expect(call(app, 4)).resolves.toBeDefined();
  });

  it('makes at most two calls of a tenant at once, and serves others meanwhile', async () => {
    const release: (() => void)[] = [];
    const arrived = new Promise<void>((resolve) => {
      upwork.transformResponse = async ({ user }, answer) => {
        if (user !== 'ann') return answer;
        const released = new Promise<void>((go) => release.push(go));
        if (release.length === 2) resolve();
        await released;
        return answer;
      };
    });
    const calls = Array.from({ length: 6 }, () => call(app, 5));
    await arrived;
    const { accessToken } = upwork.grants.issueTokens('bob');

    await app.get(UpworkClientService).call(CURRENT_USER, {}, { userId: 6, accessToken, organizationId: null });

    expect(release).toHaveLength(2);
    upwork.transformResponse = (_, answer) => answer;
    for (const go of release) go();
    await Promise.all(calls);
  });

  it('retries when Upwork does not say how long to wait', async () => {
    upwork.faults.schedule('graphql', '429', 2);
    const client = app.get(UpworkClientService);
    const { pauseMs } = client;
    client.pauseMs = 200;

    await call(app, 7);

    client.pauseMs = pauseMs;
    expect(upwork.calls).toHaveLength(3);
    const [first, second, third] = upwork.calls.map(({ at }) => at);
    expect(Math.min(second! - first!, third! - second!)).toBeGreaterThanOrEqual(200 - TIMER_MS);
  });

  it('reports a failed operation, whose empty data are not an empty list', async () => {
    upwork.cases.serve('failure-as-an-answer');
    const search = app.get(UpworkClientService).call(SEARCH_JOBS, { filter: {} }, buildCaller());

    await expect(search).rejects.toMatchObject({
      kind: 'unavailable',
      message: 'SearchJobs: Upwork reports an error at marketplaceJobPostingsSearch',
    });
  });

  it.each(['unknown-document', 'permission-missing', 'page-too-large'])('does not retry after %s', async (name) => {
    upwork.cases.serve(name);

    await expect(call(app, 8)).rejects.toMatchObject({ name: 'UpworkError' });
    expect(upwork.calls).toHaveLength(1);
  });

  it('reports an invalid access token', async () => {
    const stranger = app
      .get(UpworkClientService)
      .call(CURRENT_USER, {}, { userId: 1, accessToken: 'nobody', organizationId: null });

    await expect(stranger).rejects.toMatchObject({ kind: 'refused', message: expect.stringContaining('401') });
  });
});

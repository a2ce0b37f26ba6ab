import { UpworkClient } from '../../src/upwork/upwork-client.service';
import { CURRENT_USER } from '../../src/upwork/upwork.documents';
import { FakeUpwork } from '../fakes/upwork/fake-upwork';
import { startApp, type TestApp } from '../support/app';

/** How much earlier than asked a timer of Node may fire, rounded to whole milliseconds on both clocks. */
const TIMER_MS = 3;

/** Where the limiter keeps the next free instant. */
const NEXT_KEY = 'upwork-calls:next';

describe(UpworkClient.name, () => {
  let upwork: FakeUpwork;
  let app: TestApp;
  let second: TestApp;

  beforeAll(async () => {
    upwork = await new FakeUpwork().start();
    app = await startApp({ settings: { ...upwork.settings, UPWORK_REQUESTS_PER_SECOND: '20' } });
    second = await startApp({ beside: app });
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

  const callerOf = () => ({ accessToken: upwork.grants.pair('ann').accessToken, organizationId: 'org-1' });
  const call = (by = app) => by.get(UpworkClient).call(CURRENT_USER, {}, callerOf());

  it('keeps one rate over all processes', async () => {
    const first = Date.now() + 1_000;
    await app.redis.set(NEXT_KEY, first);

    await Promise.all(Array.from({ length: 40 }, (_, i) => call(i % 2 ? app : second)));

    // Twenty a second: each call has 50 ms of its own. A slow machine makes calls late, but none is early.
    expect(Number(await app.redis.get(NEXT_KEY))).toBeGreaterThanOrEqual(first + 40 * 50);
    const times = upwork.calls.map(({ at }) => at).sort((a, b) => a - b);
    expect(times).toHaveLength(40);
    expect(times.filter((at, place) => at < first + place * 50 - TIMER_MS)).toEqual([]);
  });

  it('waits as long as Upwork asks, in every process, and names its tenant', async () => {
    upwork.faults.next('graphql', '429');

    await call();
    const [refused, again] = upwork.calls;

    expect(again!.at - refused!.at).toBeGreaterThanOrEqual(900);
    expect(again!.tenant).toBe('org-1');
  });

  it.each([
    ['html', 'unusable', 'CurrentUser: Upwork answered 200 with text/html instead of JSON'],
    ['empty', 'unusable', "CurrentUser: Upwork's answer has another shape at its top"],
  ] as const)('says clearly what is wrong with %s, without another try', async (fault, kind, message) => {
    upwork.faults.next('graphql', fault);

    await expect(call()).rejects.toMatchObject({ name: 'UpworkError', kind, message });
    expect(upwork.calls).toHaveLength(1);
  });

  it('tries three times, then leaves a service that is down alone until it has rested', async () => {
    const third = await startApp({ beside: app });
    upwork.faults.next('graphql', '500', 3);
    upwork.faults.next('graphql', 'cut', 3);
    await expect(call(third)).rejects.toMatchObject({ kind: 'unavailable', message: 'Upwork answered 503' });
    await expect(call(third)).rejects.toMatchObject({ kind: 'unavailable' });
    const calls = upwork.calls.length;

    await expect(call(third)).rejects.toMatchObject({ kind: 'unavailable', message: 'Upwork does not answer just now' });

    await third.close();
    expect(calls).toBe(5);
    expect(upwork.calls).toHaveLength(calls);
  });

  it('says so when the access token is not good', async () => {
    const stranger = app.get(UpworkClient).call(CURRENT_USER, {}, { accessToken: 'nobody', organizationId: null });

    await expect(stranger).rejects.toMatchObject({ kind: 'refused', message: expect.stringContaining('401') });
  });
});

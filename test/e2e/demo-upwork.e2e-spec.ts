import { ApiClient } from '../../src/demo/api-client';
import { Terminal } from '../../src/demo/terminal';
import { UpworkScenario } from '../../src/demo/upwork-scenario';
import { FakeUpwork } from '../../src/demo/fake-upwork/fake-upwork';
import { buildDayKey, UpworkRateLimiterService } from '../../src/upwork/upwork-rate-limiter.service';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller } from '../support/accounts';
import { createManualWorker, type ManualWorker } from '../support/test-worker';
import { TcpProxy } from '../support/tcp-proxy';
import { pause } from '../support/wait-for';

describe(UpworkScenario.name, () => {
  let upwork: FakeUpwork;
  let app: TestApp;
  let proxy: TcpProxy;
  let worker: ManualWorker;
  let isOver = false;
  let working: Promise<void>;
  const lines: string[] = [];

  beforeAll(async () => {
    upwork = await new FakeUpwork().start();
    proxy = await TcpProxy.start(getPort(upwork));
    app = await startApp({ settings: { ...buildSettings(), UPWORK_REQUESTS_PER_SECOND: '100' } });
    upwork.limitPerSecond = 1_000;
    worker = await createManualWorker(app);
    working = runWorker();
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
  });
  beforeEach(() => {
    lines.length = 0;
    // All users of the tests consent as the same account.
    upwork.marketplace.proposals.length = 0;
    upwork.marketplace.rooms.length = 0;
  });
  afterAll(async () => {
    jest.restoreAllMocks();
    isOver = true;
    await working;
    await worker.close();
    await app.close();
    await proxy.close();
    await upwork.stop();
  });

  const getPort = ({ url }: FakeUpwork): number => Number(new URL(url).port);
  /** Returns the fake's settings with the address of the proxy, which a restarted fake keeps. */
  const buildSettings = (): Record<string, string> =>
    Object.fromEntries(
      Object.entries(upwork.settings).map(([name, value]) => [
        name,
        value.startsWith(upwork.url) ? proxy.buildUrl(value) : value,
      ]),
    );

  /** Runs the worker until the tests are over. */
  async function runWorker(): Promise<void> {
    while (!isOver) {
      await worker.runTask('sync-connections');
      await pause(50, 'the task repeats at an interval');
    }
  }

  async function runScenario(by: TestApp, token = ''): Promise<string> {
    const api = new ApiClient(by.url);
    api.setAccessToken(token);
    await new UpworkScenario(api, new Terminal()).run();
    return lines.join('');
  }

  it('runs from a job on Upwork to an accepted proposal, twice', async () => {
    const ann = await createSignedInCaller(app);

    const output = await runScenario(app, ann.token);

    // The job may arrive with the search that saving starts, or with the requested one.
    const steps = [
      'connected to http://127',
      'a client publishes',
      'searched: ',
      'it is job #',
      'the full posting asks: "Which database',
      'it is draft',
      'is submitted ("Accepted" on Upwork), for 58.00 USD',
      '(1 unread)',
      'is sent, once  (0 unread)',
      'is accepted ("Hired" on Upwork)',
    ];
    const counts = [...output.matchAll(/count by hand: .*?, (.*)/g)].map(([, count]) => count);
    expect(counts).toEqual([
      '0 drafted, 0 sent, 0 answered, 0 won',
      '1 drafted, 0 sent, 0 answered, 0 won',
      '1 drafted, 1 sent, 0 answered, 0 won',
      '1 drafted, 1 sent, 1 answered, 0 won',
      '1 drafted, 1 sent, 1 answered, 0 won',
      '1 drafted, 1 sent, 1 answered, 1 won',
    ]);
    expect(steps.filter((step) => !output.includes(step))).toEqual([]);
    expect(await runScenario(app, ann.token)).toContain('is accepted');
  });

  it('fails when a summary differs from the count by hand', async () => {
    class WrongApiClient extends ApiClient {
      override async get<T>(path: string): Promise<T> {
        const body = await super.get<T>(path);
        if (path === '/v1/analytics/summary') (body as { winRate: number }).winRate = 1;
        return body;
      }
    }
    const api = new WrongApiClient(app.url);
    api.setAccessToken((await createSignedInCaller(app)).token ?? '');

    await expect(new UpworkScenario(api, new Terminal()).run()).rejects.toThrow(
      /"winRate":1,.*; counted by hand: .*"winRate":null/,
    );
  });

  it('gives the reason when a synchronisation is postponed', async () => {
    const dayKey = buildDayKey(upwork.grants.clientId);
    const { perDay } = await app.get(UpworkRateLimiterService).readBudget();
    class LastCallApiClient extends ApiClient {
      /** Uses the day's calls before the synchronisation. */
      override async post<T>(path: string, body?: unknown): Promise<T> {
        if (path === '/v1/jobs/sync') await app.redis.hset(dayKey, { used: perDay });
        return super.post<T>(path, body);
      }
    }
    const api = new LastCallApiClient(app.url);
    api.setAccessToken((await createSignedInCaller(app)).token ?? '');

    await expect(new UpworkScenario(api, new Terminal()).run()).rejects.toThrow(
      /^the synchronisation of jobs is postponed to 20\S+Z: the day's calls to Upwork are used/,
    );
    await app.redis.del(dayKey);
  });

  it('runs again after the fake Upwork restarted without its data', async () => {
    const ann = await createSignedInCaller(app);
    await runScenario(app, ann.token);
    await upwork.stop();
    upwork = await new FakeUpwork().start();
    proxy.port = getPort(upwork);
    upwork.limitPerSecond = 1_000;
    lines.length = 0;

    expect(await runScenario(app, ann.token)).toContain('is accepted');
  });

  it('explains how to start a fake Upwork when there is none', async () => {
    const without = await startApp({ sharedWith: app, settings: { UPWORK_CLIENT_ID: '' } });
    const elsewhere = await startApp({
      sharedWith: app,
      settings: { UPWORK_AUTHORIZE_URL: 'https://www.upwork.com/x' },
    });

    expect(await runScenario(without, (await createSignedInCaller(without)).token)).toContain(
      'npm start -- --fake-upwork',
    );
    expect(await runScenario(elsewhere, (await createSignedInCaller(elsewhere)).token)).toContain(
      'configured for the real Upwork',
    );
    await without.close();
    await elsewhere.close();
  });
});

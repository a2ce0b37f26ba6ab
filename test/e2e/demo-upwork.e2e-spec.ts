import { ApiClient } from '../../src/demo/api-client';
import { Terminal } from '../../src/demo/terminal';
import { UpworkScenario } from '../../src/demo/upwork-scenario';
import { FakeUpwork } from '../../src/demo/fake-upwork/fake-upwork';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller } from '../support/accounts';
import { createManualWorker, type ManualWorker } from '../support/test-worker';

describe(UpworkScenario.name, () => {
  let upwork: FakeUpwork;
  let app: TestApp;
  let worker: ManualWorker;
  let isOver = false;
  let working: Promise<void>;
  const lines: string[] = [];

  beforeAll(async () => {
    upwork = await new FakeUpwork().start();
    app = await startApp({ settings: { ...upwork.settings, UPWORK_REQUESTS_PER_SECOND: '100' } });
    upwork.limitPerSecond = 1_000;
    worker = await createManualWorker(app);
    working = work();
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
  });
  beforeEach(() => void (lines.length = 0));
  afterAll(async () => {
    jest.restoreAllMocks();
    isOver = true;
    await working;
    await worker.close();
    await app.close();
    await upwork.stop();
  });

  /** A worker that looks all the time what it was asked for. */
  async function work(): Promise<void> {
    while (!isOver) {
      await worker.runTask('sync-connections');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async function walk(by: TestApp, token = ''): Promise<string> {
    const api = new ApiClient(by.url);
    api.setAccessToken(token);
    await new UpworkScenario(api, new Terminal()).run();
    return lines.join('');
  }

  it('walks from a vacancy there to an accepted proposal, and a second time', async () => {
    const ann = await createSignedInCaller(app);

    const said = await walk(app, ann.token);

    // The vacancy may come with the search that saving it begins, or with the one asked for after it.
    const steps = [
      'connected to http://127',
      'a client publishes',
      'searched: ',
      'it is job #',
      'it is draft',
      'is submitted ("Pending" there), for 58.00 USD',
      '(1 unread)',
      '(0 unread',
      'is accepted',
    ];
    expect(steps.filter((step) => !said.includes(step))).toEqual([]);
    expect(await walk(app, ann.token)).toContain('is accepted');
  });

  it('walks again when the fake Upwork was started again and knows nothing of before', async () => {
    const ann = await createSignedInCaller(app);
    await walk(app, ann.token);
    const port = Number(new URL(upwork.url).port);
    await upwork.stop();
    upwork = await new FakeUpwork().start(port);
    upwork.limitPerSecond = 1_000;
    lines.length = 0;

    expect(await walk(app, ann.token)).toContain('is accepted');
  });

  it('says how to get a fake Upwork where none is', async () => {
    const without = await startApp({ sharedWith: app, settings: { UPWORK_CLIENT_ID: '' } });
    const elsewhere = await startApp({
      sharedWith: app,
      settings: { UPWORK_AUTHORIZE_URL: 'https://www.upwork.com/x' },
    });

    expect(await walk(without, (await createSignedInCaller(without)).token)).toContain('npm start -- --fake-upwork');
    expect(await walk(elsewhere, (await createSignedInCaller(elsewhere)).token)).toContain(
      'connected to Upwork itself',
    );
    await without.close();
    await elsewhere.close();
  });
});

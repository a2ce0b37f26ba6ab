import { Config } from '../../src/platform/config/config';
import type { FakeUpwork } from '../../src/demo/fake-upwork/fake-upwork';
import type { SyncKind } from '../../src/sync/sync-run';
import { buildDayKey, UpworkRateLimiterService } from '../../src/upwork/upwork-rate-limiter.service';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import type { Answer } from '../support/caller';
import { createAccount, signInToDashboard } from '../support/dashboard-client';
import { startApp, type TestApp } from '../support/test-app';
import type { ManualWorker } from '../support/test-worker';
import { startUpworkApp, type UpworkApp } from '../support/upwork-app';

const DAY_MS = 86_400_000;
const CALLS_PER_DAY = 1_000;
const POLLING_LIMIT = 900;
const SEARCHES = 5;

describe('the calls to Upwork of a day', () => {
  let upworkApp: UpworkApp;
  let upwork: FakeUpwork;
  let app: TestApp;
  let worker: ManualWorker;
  let ann: SignedInCaller;
  let dayKey: string;
  /** Difference to noon (UTC): no test crosses the end of a day. */
  let clockOffsetMs: number;

  beforeAll(async () => {
    upworkApp = await startUpworkApp({ UPWORK_CALLS_PER_DAY: String(CALLS_PER_DAY) });
    ({ upwork, app, worker } = upworkApp);
    clockOffsetMs = DAY_MS / 2 - (Date.now() % DAY_MS);
    for (const process of [app, worker]) process.get(UpworkRateLimiterService).clockOffsetMs = clockOffsetMs;
    dayKey = buildDayKey(upwork.grants.clientId);
  });
  beforeEach(async () => {
    ann = await upworkApp.connectUser();
    await app.redis.del(dayKey);
  });
  afterEach(() => upworkApp.reset());
  afterAll(() => upworkApp.close());

  /** Counts calls as made, on the UTC day of the moved clock. */
  async function use(calls: number, daysAgo = 0): Promise<void> {
    const today = Math.floor((Date.now() + clockOffsetMs) / DAY_MS);
    await app.redis.hset(dayKey, { day: today - daysAgo, used: calls });
  }

  /** Runs a synchronisation as the schedule does, and returns it. */
  async function poll(kind: SyncKind): Promise<Answer['body']> {
    await app.db.query('superuser', `UPDATE syncs SET next_at = now() WHERE kind = $1`, [kind]);
    await worker.runTask('sync-connections');
    const { items } = (await ann.get('/v1/syncs')).body;
    return items.find((each: Answer['body']) => each.kind === kind);
  }

  /** Requests a synchronisation as a user does, and returns it. */
  const request = (kind: SyncKind) => upworkApp.synchronize(ann, kind);

  const search = (n: number) => ann.post('/v1/saved-searches', { name: `Search ${n}`, query: `word${n}` });
  const readUsed = async () => (await app.get(UpworkRateLimiterService).readBudget()).used;
  const getHoursUntil = (instant: string) => (Date.parse(instant) - Date.now()) / 3_600_000;
  const getSecondsUntilNext = ({ nextRunAt, lastSuccessAt }: Answer['body']) =>
    (Date.parse(nextRunAt) - Date.parse(lastSuccessAt)) / 1_000;

  it('are at most 700 for a connection at rest with five saved searches', async () => {
    for (let n = 0; n < SEARCHES; n++) await search(n);
    const sent = upwork.marketplace.submit(ann.email, upwork.marketplace.publish({ title: 'A job' }).id, 'Hi', '40.00');
    upwork.marketplace.writeMessage(sent.id, 'client', 'Hello').updatedAt = new Date('2026-01-01');
    const kinds = ['jobs', 'proposals', 'messages'] as const;
    for (const kind of kinds) await poll(kind);
    const { pollingSeconds, cacheHours } = app.get(Config).upwork;

    let callsPerDay = 0;
    for (const kind of kinds) {
      upwork.calls.length = 0;
      await poll(kind);
      callsPerDay += upwork.calls.length * (86_400 / pollingSeconds[kind]);
    }
    // A full search reads at most three more pages, twice per retention time.
    callsPerDay += SEARCHES * 3 * 2 * (24 / cacheHours);
    // Two lists of rooms are read once a day.
    callsPerDay += 2;

    expect(callsPerDay).toBeLessThanOrEqual(700);
    expect(upwork.calls.map(({ operation }) => operation)).toEqual(['Rooms']);
  });

  it('are counted by all processes, and start again at zero on the next day', async () => {
    const second = await startApp({ sharedWith: app });
    second.get(UpworkRateLimiterService).clockOffsetMs = clockOffsetMs;
    await search(0);
    await poll('jobs');
    await poll('proposals');

    expect(await readUsed()).toBe(upwork.calls.length);
    expect(await second.get(UpworkRateLimiterService).readBudget()).toMatchObject({
      perDay: CALLS_PER_DAY,
      used: upwork.calls.length,
    });
    await use(CALLS_PER_DAY, 1);
    expect(await readUsed()).toBe(0);
    await request('jobs');
    expect(await readUsed()).toBe(1);
    await second.close();
  });

  it('end for polling at the reserve, and are left to requests of users', async () => {
    await search(0);
    await use(POLLING_LIMIT);

    const sync = await poll('jobs');
    expect(sync).toMatchObject({ status: 'postponed', lastError: null });
    expect(getHoursUntil(sync.nextRunAt)).toBeGreaterThan(11);
    expect(upwork.calls).toEqual([]);
    expect(await request('jobs')).toMatchObject({ status: 'succeeded' });
    expect(await readUsed()).toBe(POLLING_LIMIT + 1);

    await use(CALLS_PER_DAY);
    expect(await request('jobs')).toMatchObject({ status: 'postponed', lastError: null });
    expect(upwork.calls).toHaveLength(1);
  });

  it.each(['jobs', 'proposals', 'messages'] as const)('are no failure when they end: %s', async (kind) => {
    await search(0);
    await use(POLLING_LIMIT);

    await poll(kind);

    const [row] = await app.db.query('superuser', `SELECT failures, last_error FROM syncs WHERE kind = $1`, [kind]);
    const [run] = await app.db.query('superuser', `SELECT outcome, figures FROM task_runs ORDER BY id DESC LIMIT 1`);
    const [saved] = (await ann.get('/v1/saved-searches')).body.items;
    expect(row).toEqual({ failures: 0, last_error: null });
    expect(run).toMatchObject({ outcome: 'succeeded', figures: { due: 1, failed: 0, postponed: 1 } });
    expect(saved.lastError).toBeNull();
  });

  it('end within a run: what was read is stored, and the next day reads the rest', async () => {
    for (let n = 0; n < 2; n++) await search(n);
    upwork.marketplace.publish({ title: 'word0' });
    upwork.marketplace.publish({ title: 'word1' });
    await use(POLLING_LIMIT - 1);

    expect(await poll('jobs')).toMatchObject({ status: 'postponed', lastError: null, figures: {} });
    expect((await ann.get('/v1/jobs')).body.items).toMatchObject([{ title: 'word0' }]);
    await use(CALLS_PER_DAY, 1);

    expect(await poll('jobs')).toMatchObject({ status: 'succeeded', figures: { created: 1, unchanged: 1 } });
  });

  it('end for polling while a user requests the run: the request starts at once, not on the next day', async () => {
    for (let n = 0; n < 2; n++) await search(n);
    await use(POLLING_LIMIT - 1);
    upwork.transformResponse = async (_, answer) => {
      upwork.transformResponse = (__, next) => next;
      await ann.post('/v1/jobs/sync');
      return answer;
    };

    const requested = await poll('jobs');
    expect(requested).toMatchObject({ status: 'queued', lastError: null });
    expect(getHoursUntil(requested.nextRunAt)).toBeLessThan(1);
    await worker.runTask('sync-connections');

    const [jobs] = (await ann.get('/v1/syncs')).body.items;
    expect(jobs).toMatchObject({ kind: 'jobs', status: 'succeeded', figures: { searches: 2 } });
    expect(await readUsed()).toBe(POLLING_LIMIT + 2);
  });

  it('run short: the intervals are stretched, at most until the next day', async () => {
    const plain = getSecondsUntilNext(await poll('messages'));
    await use(POLLING_LIMIT - 10);
    const stretched = getSecondsUntilNext(await poll('messages'));

    expect(plain).toBeCloseTo(480, 0);
    // Fewer calls are left than the rest of the day needs.
    expect(stretched).toBeGreaterThan(DAY_MS / 2_000 - 3_600);
    expect(stretched).toBeLessThanOrEqual(DAY_MS / 2_000);
  });

  it('show a refused document to the operator until Upwork accepts it', async () => {
    const cookie = await signInToDashboard(app, await createAccount(app, 'admin'));
    const root = await createSignedInCaller(app, { role: 'admin' });
    const readPage = async () => (await fetch(`${app.url}/admin`, { headers: { cookie } })).text();
    const readMetrics = async () => (await root.get<string>('/metrics')).body;
    upwork.cases.serve('unknown-document');
    await expect(poll('messages')).rejects.toThrow();
    const refused = upwork.calls.at(-1)!.operation;
    await poll('jobs');

    expect(await readPage()).toContain(`Upwork refuses ${refused} since `);
    expect(await readMetrics()).toContain('upwork_documents_refused 1');
    await poll('messages');

    expect(upwork.calls.some(({ operation }) => operation === refused)).toBe(true);
    expect(await readPage()).toContain('no refused document');
    expect(await readMetrics()).toContain('upwork_documents_refused 0');
  });

  it('are shown on the dashboard and in the metrics', async () => {
    const admin = await createAccount(app, 'admin');
    const root = await createSignedInCaller(app, { role: 'admin' });
    const cookie = await signInToDashboard(app, admin);
    const readPage = async () => (await fetch(`${app.url}/admin`, { headers: { cookie } })).text();

    await use(250);
    expect(await readPage()).toContain('250 of 1000 used today, 750 left');
    await use(POLLING_LIMIT);
    expect(await readPage()).toContain('100 left for requests of users. Synchronisation continues at 00:00 UTC');

    const { body } = await root.get<string>('/metrics');
    expect(body).toContain('upwork_calls_today{state="used"} 900');
    expect(body).toContain('upwork_calls_today{state="left"} 100');
  });
});

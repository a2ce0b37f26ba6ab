import { JobsService } from '../../src/jobs/jobs.service';
import { Cache, ChangeFeed } from '../../src/platform/cache/cache';
import { CacheStats } from '../../src/platform/cache/cache-stats';
import { joinUnitOfWork } from '../../src/platform/database/current-unit-of-work';
import { Database } from '../../src/platform/database/database';
import { TenantVersions } from '../../src/platform/cache/tenant-versions';
import { SystemDatabase } from '../../src/platform/database/system-database';
import { RedisClients } from '../../src/platform/redis/redis-clients';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import type { Answer } from '../support/caller';
import { waitFor } from '../support/wait-for';
import { buildJob, insertJob } from '../support/factories/job.factory';
import { buildMessage } from '../support/factories/message.factory';
import { runAsUser } from '../support/run-as-user';

const ON = { CACHE_ENABLED: 'true' };

const POLL_INTERVAL_MS = 50;

/** Returns a problem document without the parts that differ between requests. */
function withoutRequestData({ status, body }: Answer): unknown {
  const { requestId: _requestId, instance: _instance, ...rest } = body;
  return { status, ...rest };
}

/** Starts a process beside the first one that polls often, because most tests wait for polls. */
async function startPolling(first: TestApp): Promise<TestApp> {
  const app = await startApp({ settings: ON, sharedWith: first });
  app.get(ChangeFeed).pollIntervalMs = POLL_INTERVAL_MS;
  return app;
}

describe(Cache.name, () => {
  let one: TestApp;
  let two: TestApp;
  let ann: SignedInCaller;
  let bob: SignedInCaller;

  beforeAll(async () => {
    one = await startApp({ settings: ON });
    two = await startPolling(one);
    one.get(ChangeFeed).pollIntervalMs = POLL_INTERVAL_MS;
    ann = await createSignedInCaller(one);
    bob = await createSignedInCaller(one);
  });
  afterAll(async () => {
    await two.close();
    await one.close();
  });
  beforeEach(async () => {
    for (const app of [one, two]) ignoreAge(app.get(ChangeFeed));
    await waitForPoll(one, two);
  });
  afterEach(() => jest.restoreAllMocks());

  const waitUntilFresh = (app: TestApp): Promise<unknown> =>
    waitFor('a poll succeeds', () => app.get(ChangeFeed).isFresh);

  /** Waits until each process knows all changes committed before the call. */
  const waitForPoll = async (...apps: TestApp[]): Promise<void> => {
    const now = performance.now();
    for (const app of apps) await waitFor('the changes are known', () => app.get(ChangeFeed).lastPolledAtMs > now);
  };

  /** Disables the age limit of a poll, so that a slow machine does not change the counts of reads. */
  const ignoreAge = (feed: ChangeFeed): void => {
    jest.spyOn(feed, 'isFresh', 'get').mockImplementation(() => feed.lastPolledAtMs > -Infinity);
  };

  /** Counts the reads by source while `work` runs. */
  const countReads = async (app: TestApp, work: () => Promise<unknown>): Promise<Omit<CacheStats, 'bumps'>> => {
    const before = { ...app.get(CacheStats) };
    await work();
    const { memory, redis, database, bypassed } = app.get(CacheStats);
    return {
      memory: memory - before.memory,
      redis: redis - before.redis,
      database: database - before.database,
      bypassed: bypassed - before.bypassed,
    };
  };

  const createJob = async (of: SignedInCaller, title: string): Promise<number> =>
    (await of.post('/v1/jobs', buildJob({ title }))).body.id;

  /** Reads until the value is cached. */
  const readUntilCached = async (of: SignedInCaller, path: string, ...apps: TestApp[]): Promise<void> => {
    for (const app of apps) {
      await waitFor(
        `${path} is cached`,
        async () => (await countReads(app, () => of.withBaseUrl(app.url).get(path))).memory === 1,
      );
    }
  };

  /** Reads until the value stays cached: the feed reports the write of a process a second time. */
  const warm = async (of: SignedInCaller, path: string, ...apps: TestApp[]): Promise<void> => {
    await waitForPoll(...apps);
    await readUntilCached(of, path, ...apps);
  };

  const setTitle = (id: number, title: string): Promise<unknown> =>
    one.db.query('superuser', 'UPDATE jobs SET title = $2 WHERE id = $1', [id, title]);

  it('reads PostgreSQL once, then memory, and in another process Redis, with equal results', async () => {
    const cleo = await createSignedInCaller(one);
    const id = await insertJob(one.db, cleo.id, { title: 'Once' });
    await waitForPoll(one, two);
    const answers: Answer[] = [];
    const get = (app: TestApp) => async () => void answers.push(await cleo.withBaseUrl(app.url).get(`/v1/jobs/${id}`));

    expect(await countReads(one, get(one))).toEqual({ memory: 0, redis: 0, database: 1, bypassed: 0 });
    expect(await countReads(one, get(one))).toEqual({ memory: 1, redis: 0, database: 0, bypassed: 0 });
    expect(await countReads(two, get(two))).toEqual({ memory: 0, redis: 1, database: 0, bypassed: 0 });
    expect(await countReads(two, get(two))).toEqual({ memory: 1, redis: 0, database: 0, bypassed: 0 });
    expect(answers.map(({ status, headers, body }) => [status, headers.get('etag'), body])).toEqual(
      Array(4).fill([200, '"1"', answers[0]!.body]),
    );
    expect(answers[0]!.body).toMatchObject({ id, title: 'Once', createdAt: expect.stringMatching(/Z$/) });
  });

  it('shows a change in every process as soon as its response has arrived', async () => {
    const id = await createJob(ann, 'Version 0');
    const path = `/v1/jobs/${id}`;
    for (let i = 1; i <= 25; i++) {
      await readUntilCached(ann, path, one, two);
      const [writer, reader] = i % 2 ? [one, two] : [two, one];
      expect((await ann.withBaseUrl(writer.url).patch(path, { title: `Version ${i}` })).status).toBe(200);

      expect((await ann.withBaseUrl(reader.url).get(path)).body.title).toBe(`Version ${i}`);
      expect((await ann.withBaseUrl(writer.url).get(path)).body.title).toBe(`Version ${i}`);
    }
  });

  it('shows a change by a plain SQL statement at once, too', async () => {
    const jobId = await createJob(ann, 'Talked about');
    const { body: message } = await ann.post('/v1/messages', buildMessage({ jobId }));
    const path = `/v1/messages/${message.id}`;
    await warm(ann, path, one, two);
    expect((await ann.get(path)).body.isRead).toBe(false);

    expect((await ann.post('/v1/messages/read', { jobId })).body).toEqual({ updated: 1 });

    expect((await ann.withBaseUrl(two.url).get(path)).body.isRead).toBe(true);
  });

  it('shows a change made outside the server after the next poll', async () => {
    const id = await insertJob(one.db, ann.id, { title: 'Before' });
    await warm(ann, `/v1/jobs/${id}`, one, two);
    for (let i = 0; i < 3; i++) {
      await setTitle(id, `After ${i}`);
      await waitForPoll(one, two);

      for (const app of [one, two])
        expect((await ann.withBaseUrl(app.url).get(`/v1/jobs/${id}`)).body.title).toBe(`After ${i}`);
      await warm(ann, `/v1/jobs/${id}`, one, two);
    }
  });

  it('detects a transaction that commits after later ones', async () => {
    const id = await insertJob(one.db, ann.id, { title: 'Before' });
    const other = await insertJob(one.db, ann.id);
    await one.db.transaction('superuser', async (client) => {
      await client.query(`UPDATE jobs SET title = 'Late' WHERE id = $1`, [id]);
      for (let i = 0; i < 4; i++) {
        await setTitle(other, `Meanwhile ${i}`);
        await waitForPoll(one, two);
      }
      await warm(ann, `/v1/jobs/${id}`, one, two);
      expect((await ann.get(`/v1/jobs/${id}`)).body.title).toBe('Before');
    });
    await waitForPoll(one, two);

    for (const app of [one, two])
      expect((await ann.withBaseUrl(app.url).get(`/v1/jobs/${id}`)).body.title).toBe('Late');
  });

  it('caches statistics until the poll after a refresh', async () => {
    const path = '/v1/analytics/job-stats';
    const cleo = await createSignedInCaller(one);
    await insertJob(one.db, cleo.id);
    await warm(cleo, path, one, two);
    const before = await cleo.get(path);
    await one.db.query('worker', 'SELECT refresh_user_job_stats()');
    await waitForPoll(one, two);

    expect(before.body.totalJobs).toBe(0);
    for (const app of [one, two]) expect((await cleo.withBaseUrl(app.url).get(path)).body.totalJobs).toBe(1);
    await warm(cleo, path, one, two);
    expect(await countReads(two, () => cleo.withBaseUrl(two.url).get(path))).toMatchObject({ memory: 1 });
  });

  it('never serves a value of another tenant, with the same answer as for a missing job', async () => {
    const jobs = new Map<number, SignedInCaller>();
    for (let i = 0; i < 10; i++) {
      const owner = i % 2 ? ann : bob;
      jobs.set(await insertJob(one.db, owner.id, { title: `of ${owner.id}` }), owner);
    }
    await waitForPoll(one, two);
    const ids = [...jobs.keys()];
    const missing = withoutRequestData(await ann.get('/v1/jobs/999999999'));
    const wrong: unknown[] = [];
    const request = async (n: number): Promise<void> => {
      const id = ids[(n * 7) % ids.length]!;
      const reader = (n >> 1) % 2 ? ann : bob;
      const answer = await reader.withBaseUrl(n % 2 ? one.url : two.url).get(`/v1/jobs/${id}`);
      const isRight =
        jobs.get(id) === reader
          ? answer.status === 200 && answer.body.title === `of ${reader.id}`
          : JSON.stringify(withoutRequestData(answer)) === JSON.stringify(missing);
      if (!isRight) wrong.push([n, answer.status, answer.body]);
    };
    const reads = await countReads(one, async () => {
      for (let n = 0; n < 800; n += 16) await Promise.all(Array.from({ length: 16 }, (_, i) => request(n + i)));
    });

    // Half of the 400 reads of this process are by the owner; all but the first few of each job are repeated.
    expect(wrong).toEqual([]);
    expect(reads.memory).toBeGreaterThan(100);
  });

  it('answers 304 from memory for the current version, and with the new one after a change', async () => {
    const path = `/v1/jobs/${await createJob(ann, 'Tagged')}`;
    await warm(ann, path, one, two);
    const { headers, body } = await ann.get(path);
    const known = { 'if-none-match': headers.get('etag')! };
    let unchanged!: Answer;
    const reads = await countReads(two, async () => (unchanged = await ann.withBaseUrl(two.url).get(path, known)));
    await ann.patch(path, { title: 'Tagged again' });
    const changed = await ann.withBaseUrl(two.url).get(path, known);

    expect(body.version).toBe(1);
    expect(reads).toEqual({ memory: 1, redis: 0, database: 0, bypassed: 0 });
    expect([unchanged.status, unchanged.headers.get('etag'), unchanged.body]).toEqual([304, '"1"', undefined]);
    expect([changed.status, changed.headers.get('etag'), changed.body.title]).toEqual([200, '"2"', 'Tagged again']);
    expect((await bob.withBaseUrl(two.url).get(path, known)).status).toBe(404);
  });

  it('does not serve a value read before a change and stored after it', async () => {
    const id = await createJob(ann, 'Old');
    const read = (load: () => Promise<{ title: string }>) =>
      runAsUser(ann.id, () => one.get(Cache).read('a-race', id, load));
    const title = async (): Promise<{ title: string }> => {
      const [row] = await runAsUser(ann.id, () =>
        one.get(Database).query<{ title: string }>('SELECT title FROM jobs WHERE id = $1', [id]),
      );
      return row!;
    };
    let resume!: () => void;
    let slow!: Promise<{ title: string }>;
    await new Promise<void>((hasRead) => {
      slow = read(async () => {
        const old = await title();
        hasRead();
        await new Promise<void>((resolve) => (resume = resolve));
        return old;
      });
    });
    await ann.withBaseUrl(two.url).patch(`/v1/jobs/${id}`, { title: 'New' });
    resume();

    expect((await slow).title).toBe('Old');
    expect((await read(title)).title).toBe('New');
    expect((await runAsUser(ann.id, () => two.get(Cache).read('a-race', id, title))).title).toBe('New');
  });

  it('keeps its values when a unit rolls back or changes nothing', async () => {
    const path = `/v1/jobs/${await createJob(ann, 'Kept')}`;
    await warm(ann, path, one, two);
    const bumps = one.get(CacheStats).bumps;
    const failed = runAsUser(ann.id, () =>
      one.get(Database).transaction(async (unit) => {
        await unit.query(`UPDATE jobs SET title = 'Lost' WHERE user_id = $1`, [ann.id]);
        throw new Error('on purpose');
      }),
    );

    await expect(failed).rejects.toThrow('on purpose');
    expect((await ann.patch(path, { title: 'Kept' })).body.version).toBe(1);
    expect((await ann.patch(path, { title: 'x' }, { 'if-match': '"99"' })).status).toBe(412);
    expect(one.get(CacheStats).bumps).toBe(bumps);
    expect(await countReads(one, () => ann.get(path))).toMatchObject({ memory: 1 });
  });

  it('is bypassed while a request has an open unit', async () => {
    const id = await createJob(ann, 'Seen by all');
    await warm(ann, `/v1/jobs/${id}`, one);
    const reads = await countReads(one, () =>
      runAsUser(ann.id, () =>
        one.get(Database).transaction(async (unit) => {
          await joinUnitOfWork(unit, async () => {
            await unit.query(`UPDATE jobs SET title = 'Not yet' WHERE id = $1`, [id]);
            expect((await one.get(JobsService).get(id)).title).toBe('Not yet');
          });
          throw new Error('on purpose');
        }),
      ).catch(() => undefined),
    );

    expect(reads).toEqual({ memory: 0, redis: 0, database: 0, bypassed: 1 });
    expect((await ann.get(`/v1/jobs/${id}`)).body.title).toBe('Seen by all');
  });

  it('freezes shared values', async () => {
    const id = await createJob(ann, 'Shared');
    await warm(ann, `/v1/jobs/${id}`, one);
    const job = await runAsUser(ann.id, () => one.get(JobsService).get(id));

    expect(() => job.skills.push('mine')).toThrow(TypeError);
    expect(() => (job.title = 'mine')).toThrow(TypeError);
  });

  it('serves no values from before a time without polls', async () => {
    const id = await insertJob(one.db, ann.id, { title: 'Before' });
    const last = await startPolling(one);
    await waitUntilFresh(last);
    await warm(ann, `/v1/jobs/${id}`, last);
    for (const app of [one, two, last]) app.get(ChangeFeed).onApplicationShutdown();
    await last.close();
    await setTitle(id, 'Unseen');
    const first = await startPolling(one);
    try {
      await waitUntilFresh(first);
      const { body } = await ann.withBaseUrl(first.url).get(`/v1/jobs/${id}`);

      expect(body.title).toBe('Unseen');
    } finally {
      await first.close();
      for (const app of [one, two]) app.get(ChangeFeed).onApplicationBootstrap();
    }
  });

  describe('is bypassed', () => {
    let app: TestApp;
    let id: number;

    beforeAll(async () => {
      app = await startPolling(one);
    });
    afterAll(() => app.close());
    beforeEach(async () => {
      id = await insertJob(one.db, ann.id, { title: 'Before' });
      await waitUntilFresh(app);
      await warm(ann, `/v1/jobs/${id}`, app);
    });

    const waitUntilStale = (app: TestApp): Promise<unknown> =>
      waitFor('the last answer is too old', () => !app.get(ChangeFeed).isFresh);

    const readTitle = async (): Promise<string> => (await runAsUser(ann.id, () => app.get(JobsService).get(id))).title;

    it('when the last poll is more than 0.9 s ago', () => {
      const feed = app.get(ChangeFeed);
      const { lastPolledAtMs: knownUntil } = feed;
      const now = jest.spyOn(performance, 'now');
      const isFreshAfter = (ms: number): boolean => (now.mockReturnValue(knownUntil + ms), feed.isFresh);
      const ages = [0, 899, 901].map(isFreshAfter);
      now.mockRestore();

      expect(ages).toEqual([true, true, false]);
    });

    it('when polling has stopped', async () => {
      const feed = app.get(ChangeFeed);
      const poll = jest
        .spyOn(feed as unknown as { poll: () => Promise<void> }, 'poll')
        .mockReturnValue(new Promise(() => undefined));
      await setTitle(id, 'After');
      await waitUntilStale(app);
      const reads = await countReads(app, async () => expect(await readTitle()).toBe('After'));
      poll.mockRestore();
      feed.onApplicationShutdown();
      feed.onApplicationBootstrap();

      expect(reads).toEqual({ memory: 0, redis: 0, database: 0, bypassed: 1 });
    });

    it('when PostgreSQL does not answer a poll in time', async () => {
      await one.db.transaction('superuser', async (client) => {
        await client.query('LOCK TABLE audit_logs IN ACCESS EXCLUSIVE MODE');
        await waitUntilStale(app);
        const reads = await countReads(app, async () => expect(await readTitle()).toBe('Before'));

        expect(reads).toEqual({ memory: 0, redis: 0, database: 0, bypassed: 1 });
      });
      await waitUntilFresh(app);
      await warm(ann, `/v1/jobs/${id}`, app);
    });

    it.each(['commands', 'subscriber'] as const)('when Redis is unavailable (%s), and recovers', async (name) => {
      const client = app.get(RedisClients)[name];
      client.disconnect();
      await new Promise((resolve) => client.once('close', resolve));
      await setTitle(id, 'After');
      const reads = await countReads(app, async () => expect(await readTitle()).toBe('After'));
      expect(reads).toEqual({ memory: 0, redis: 0, database: 0, bypassed: 1 });
      if (name === 'commands') {
        await runAsUser(ann.id, () => app.get(JobsService).update(id, { title: 'Written without Redis' }));
        expect(await readTitle()).toBe('Written without Redis');
      }

      await client.connect();
      await waitUntilFresh(app);
      await warm(ann, `/v1/jobs/${id}`, app);
    });

    it('when it is disabled', async () => {
      const off = await startApp({ settings: { CACHE_ENABLED: 'false' }, sharedWith: one });
      try {
        const reads = await countReads(off, () => ann.withBaseUrl(off.url).get(`/v1/jobs/${id}`));

        expect(reads).toEqual({ memory: 0, redis: 0, database: 0, bypassed: 1 });
      } finally {
        await off.close();
      }
    });
  });

  it('uses expiring keys with the run of Redis, the timeline, the tenant, the version and the build', async () => {
    const id = await createJob(ann, 'Stored');
    await warm(ann, `/v1/jobs/${id}`, one);
    const [, run] = /run_id:(\w+)/.exec(await one.redis.info('server'))!;
    const values = await one.redis.keys('tenant:*');
    const keys = [...values, ...(await one.redis.keys('cache:*'))];
    const lives = await Promise.all(keys.map((key) => one.redis.ttl(key)));

    expect(keys.every((key) => key.replace(/^tenant:\d+:/, '').startsWith(`cache:${run}:`))).toBe(true);
    const space = `cache:${run}:\\d+-\\d+-1-\\d+-\\d+`;
    expect(values).toContainEqual(
      expect.stringMatching(new RegExp(`^tenant:${ann.id}:${space}:[\\w-]{16}:[\\w-]{12}:jobs:${id}$`)),
    );
    // -1 is a key without expiry; -2 is one that has expired meanwhile.
    expect(lives).not.toContain(-1);
  });

  it('serves no values of a timeline before a failover', async () => {
    const id = await createJob(ann, 'Lost by the failover');
    await warm(ann, `/v1/jobs/${id}`, one);
    // A promoted replica lacks the change and its audit row, so no poll can report it.
    await one.db.query(
      'superuser',
      `BEGIN; SET LOCAL session_replication_role = replica;
       UPDATE jobs SET title = 'As promoted' WHERE id = ${id}; COMMIT`,
    );
    await waitForPoll(one);
    expect((await ann.get(`/v1/jobs/${id}`)).body.title).toBe('Lost by the failover');

    const database = one.get(SystemDatabase);
    const asMonitor = database.asMonitor.bind(database);
    const poll = jest.spyOn(database, 'asMonitor').mockImplementation(async (work) => {
      const rows = await asMonitor(work);
      if (Array.isArray(rows) && rows[0]?.primary) rows[0].primary += '-promoted';
      return rows;
    });

    await waitFor(
      'the promoted title is read',
      async () => (await ann.get(`/v1/jobs/${id}`)).body.title === 'As promoted',
    );
    await waitUntilFresh(one);
    expect(await one.get(RedisClients).commands.keys(`cache:*-promoted-*:position`)).toHaveLength(1);

    const spaces = jest.spyOn(one.get(TenantVersions), 'setKeySpace');
    poll.mockRestore();
    await waitFor('the first process uses the keys of the second again', () =>
      spaces.mock.calls.some(([space]) => space !== undefined && !space.includes('promoted')),
    );
  });

  it('begins new keys when transactions are lost without another identity', async () => {
    await waitForPoll(one);
    const readLosses = async (): Promise<number> => Number(await one.redis.get('primary-losses'));
    const before = await readLosses();
    const spaces = [one, two].map((app) => jest.spyOn(app.get(TenantVersions), 'setKeySpace'));
    const database = one.get(SystemDatabase);
    const asMonitor = database.asMonitor.bind(database);
    const poll = jest.spyOn(database, 'asMonitor').mockImplementation(async (work) => {
      const rows = await asMonitor(work);
      if (Array.isArray(rows) && rows[0]?.position) rows[0].position.snapshot = '3:3:';
      return rows;
    });
    await waitFor('the loss is counted', async () => (await readLosses()) > before);
    poll.mockRestore();

    await waitFor('both processes use the new keys', () =>
      spaces.every(({ mock }) => mock.calls.some(([space]) => space?.endsWith(`-${before + 1}`))),
    );
    await waitUntilFresh(one);
    await waitUntilFresh(two);
    expect(await readLosses()).toBe(before + 1);
  });

  it('counts reads and new versions in the metrics', async () => {
    await warm(ann, `/v1/jobs/${await createJob(ann, 'Counted')}`, one);
    const { body } = await ann.get('/metrics');

    expect(body).toMatch(/^cache_reads_total\{from="memory"\} [1-9]/m);
    expect(body).toMatch(/^cache_bumps_total [1-9]/m);
  });
});

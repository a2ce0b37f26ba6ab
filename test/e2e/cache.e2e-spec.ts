import { JobsService } from '../../src/jobs/jobs.service';
import { Cache } from '../../src/platform/cache/cache';
import { CacheStats } from '../../src/platform/cache/cache-stats';
import { ChangeFeed } from '../../src/platform/cache/change-feed';
import { joinUnitOfWork } from '../../src/platform/database/current-unit-of-work';
import { Database } from '../../src/platform/database/database';
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

/** A problem document less what differs between any two requests. */
function essence({ status, body }: Answer): unknown {
  const { requestId: _requestId, instance: _instance, ...rest } = body;
  return { status, ...rest };
}

describe(Cache.name, () => {
  let one: TestApp;
  let two: TestApp;
  let ann: SignedInCaller;
  let bob: SignedInCaller;

  beforeAll(async () => {
    one = await startApp({ settings: ON });
    two = await startApp({ settings: ON, sharedWith: one });
    ann = await createSignedInCaller(one);
    bob = await createSignedInCaller(one);
  });
  afterAll(async () => {
    await two.close();
    await one.close();
  });
  beforeEach(async () => {
    for (const app of [one, two]) stopAgeing(app.get(ChangeFeed));
    await followed(one, two);
  });
  afterEach(() => jest.restoreAllMocks());

  const fresh = (app: TestApp): Promise<unknown> =>
    waitFor('the changes are followed', () => app.get(ChangeFeed).isFresh);

  /** Waits until each process knows all that was committed before the call. */
  const followed = async (...apps: TestApp[]): Promise<void> => {
    const now = performance.now();
    for (const app of apps) await waitFor('the changes are known', () => app.get(ChangeFeed).lastPolledAtMs > now);
  };

  /** Lets an answer of the feed serve until the next one, so that a slow machine changes no count of reads. */
  const stopAgeing = (feed: ChangeFeed): void => {
    jest.spyOn(feed, 'isFresh', 'get').mockImplementation(() => feed.lastPolledAtMs > -Infinity);
  };

  /** What answered the reads while `work` ran. */
  const readsOf = async (app: TestApp, work: () => Promise<unknown>): Promise<Omit<CacheStats, 'bumps'>> => {
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

  const newJob = async (of: SignedInCaller, title: string): Promise<number> =>
    (await of.post('/v1/jobs', buildJob({ title }))).body.id;

  /** Reads until the value is kept. */
  const kept = async (of: SignedInCaller, path: string, ...apps: TestApp[]): Promise<void> => {
    for (const app of apps) {
      await waitFor(
        `${path} is kept`,
        async () => (await readsOf(app, () => of.withBaseUrl(app.url).get(path))).memory === 1,
      );
    }
  };

  /** Reads until the value stays: the feed reports the write of a process a second time. */
  const warm = async (of: SignedInCaller, path: string, ...apps: TestApp[]): Promise<void> => {
    await followed(...apps);
    await kept(of, path, ...apps);
  };

  const setTitle = (id: number, title: string): Promise<unknown> =>
    one.db.query('superuser', 'UPDATE jobs SET title = $2 WHERE id = $1', [id, title]);

  it('asks PostgreSQL once, then answers from memory, and in another process from Redis, all alike', async () => {
    const cleo = await createSignedInCaller(one);
    const id = await insertJob(one.db, cleo.id, { title: 'Once' });
    await followed(one, two);
    const answers: Answer[] = [];
    const get = (app: TestApp) => async () => void answers.push(await cleo.withBaseUrl(app.url).get(`/v1/jobs/${id}`));

    expect(await readsOf(one, get(one))).toEqual({ memory: 0, redis: 0, database: 1, bypassed: 0 });
    expect(await readsOf(one, get(one))).toEqual({ memory: 1, redis: 0, database: 0, bypassed: 0 });
    expect(await readsOf(two, get(two))).toEqual({ memory: 0, redis: 1, database: 0, bypassed: 0 });
    expect(await readsOf(two, get(two))).toEqual({ memory: 1, redis: 0, database: 0, bypassed: 0 });
    expect(answers.map(({ status, headers, body }) => [status, headers.get('etag'), body])).toEqual(
      Array(4).fill([200, '"1"', answers[0]!.body]),
    );
    expect(answers[0]!.body).toMatchObject({ id, title: 'Once', createdAt: expect.stringMatching(/Z$/) });
  });

  it('shows a change at once in every process to whoever was told that it is made', async () => {
    const id = await newJob(ann, 'Version 0');
    const path = `/v1/jobs/${id}`;
    for (let i = 1; i <= 25; i++) {
      await kept(ann, path, one, two);
      const [writer, reader] = i % 2 ? [one, two] : [two, one];
      expect((await ann.withBaseUrl(writer.url).patch(path, { title: `Version ${i}` })).status).toBe(200);

      expect((await ann.withBaseUrl(reader.url).get(path)).body.title).toBe(`Version ${i}`);
      expect((await ann.withBaseUrl(writer.url).get(path)).body.title).toBe(`Version ${i}`);
    }
  });

  it('shows what a plain statement of the gate has changed at once, too', async () => {
    const jobId = await newJob(ann, 'Talked about');
    const { body: message } = await ann.post('/v1/messages', buildMessage({ jobId }));
    const path = `/v1/messages/${message.id}`;
    await warm(ann, path, one, two);
    expect((await ann.get(path)).body.isRead).toBe(false);

    expect((await ann.post('/v1/messages/read', { jobId })).body).toEqual({ updated: 1 });

    expect((await ann.withBaseUrl(two.url).get(path)).body.isRead).toBe(true);
  });

  it('shows what was changed past the server as soon as the feed has asked', async () => {
    const id = await insertJob(one.db, ann.id, { title: 'Before' });
    await warm(ann, `/v1/jobs/${id}`, one, two);
    for (let i = 0; i < 3; i++) {
      await setTitle(id, `After ${i}`);
      await followed(one, two);

      for (const app of [one, two])
        expect((await ann.withBaseUrl(app.url).get(`/v1/jobs/${id}`)).body.title).toBe(`After ${i}`);
      await warm(ann, `/v1/jobs/${id}`, one, two);
    }
  });

  it('notices a transaction that commits after later ones have', async () => {
    const id = await insertJob(one.db, ann.id, { title: 'Before' });
    const other = await insertJob(one.db, ann.id);
    await one.db.transaction('superuser', async (client) => {
      await client.query(`UPDATE jobs SET title = 'Late' WHERE id = $1`, [id]);
      for (let i = 0; i < 4; i++) {
        await setTitle(other, `Meanwhile ${i}`);
        await followed(one, two);
      }
      await warm(ann, `/v1/jobs/${id}`, one, two);
      expect((await ann.get(`/v1/jobs/${id}`)).body.title).toBe('Before');
    });
    await followed(one, two);

    for (const app of [one, two])
      expect((await ann.withBaseUrl(app.url).get(`/v1/jobs/${id}`)).body.title).toBe('Late');
  });

  it('shows own statistics of the last refresh as soon as the feed has asked, and keeps them until then', async () => {
    const path = '/v1/analytics/job-stats';
    const cleo = await createSignedInCaller(one);
    await insertJob(one.db, cleo.id);
    await warm(cleo, path, one, two);
    const before = await cleo.get(path);
    await one.db.query('worker', 'SELECT refresh_user_job_stats()');
    await followed(one, two);

    expect(before.body.totalJobs).toBe(0);
    for (const app of [one, two]) expect((await cleo.withBaseUrl(app.url).get(path)).body.totalJobs).toBe(1);
    await warm(cleo, path, one, two);
    expect(await readsOf(two, () => cleo.withBaseUrl(two.url).get(path))).toMatchObject({ memory: 1 });
  });

  it('gives nobody what is kept for another, whoever asks first, and says so as for what is not there', async () => {
    const jobs = new Map<number, SignedInCaller>();
    for (let i = 0; i < 10; i++) {
      const owner = i % 2 ? ann : bob;
      jobs.set(await insertJob(one.db, owner.id, { title: `of ${owner.id}` }), owner);
    }
    await followed(one, two);
    const ids = [...jobs.keys()];
    const missing = essence(await ann.get('/v1/jobs/999999999'));
    const wrong: unknown[] = [];
    const ask = async (n: number): Promise<void> => {
      const id = ids[(n * 7) % ids.length]!;
      const reader = (n >> 1) % 2 ? ann : bob;
      const answer = await reader.withBaseUrl(n % 2 ? one.url : two.url).get(`/v1/jobs/${id}`);
      const isRight =
        jobs.get(id) === reader
          ? answer.status === 200 && answer.body.title === `of ${reader.id}`
          : JSON.stringify(essence(answer)) === JSON.stringify(missing);
      if (!isRight) wrong.push([n, answer.status, answer.body]);
    };
    const reads = await readsOf(one, async () => {
      for (let n = 0; n < 800; n += 16) await Promise.all(Array.from({ length: 16 }, (_, i) => ask(n + i)));
    });

    // Half of the 400 reads of this process are by the owner, and all but the first few of each job are repetitions.
    expect(wrong).toEqual([]);
    expect(reads.memory).toBeGreaterThan(100);
  });

  it('answers 304 from memory to who has the version, and with the new one once it changed', async () => {
    const path = `/v1/jobs/${await newJob(ann, 'Tagged')}`;
    await warm(ann, path, one, two);
    const { headers, body } = await ann.get(path);
    const known = { 'if-none-match': headers.get('etag')! };
    let unchanged!: Answer;
    const reads = await readsOf(two, async () => (unchanged = await ann.withBaseUrl(two.url).get(path, known)));
    await ann.patch(path, { title: 'Tagged again' });
    const changed = await ann.withBaseUrl(two.url).get(path, known);

    expect(body.version).toBe(1);
    expect(reads).toEqual({ memory: 1, redis: 0, database: 0, bypassed: 0 });
    expect([unchanged.status, unchanged.headers.get('etag'), unchanged.body]).toEqual([304, '"1"', undefined]);
    expect([changed.status, changed.headers.get('etag'), changed.body.title]).toEqual([200, '"2"', 'Tagged again']);
    expect((await bob.withBaseUrl(two.url).get(path, known)).status).toBe(404);
  });

  it('does not keep alive what was read before a change and stored after it', async () => {
    const id = await newJob(ann, 'Old');
    const read = (load: () => Promise<{ title: string }>) =>
      runAsUser(ann.id, () => one.get(Cache).read('a-race', id, load));
    const title = async (): Promise<{ title: string }> => {
      const [row] = await runAsUser(ann.id, () =>
        one.get(Database).query<{ title: string }>('SELECT title FROM jobs WHERE id = $1', [id]),
      );
      return row!;
    };
    let go!: () => void;
    let slow!: Promise<{ title: string }>;
    await new Promise<void>((hasRead) => {
      slow = read(async () => {
        const old = await title();
        hasRead();
        await new Promise<void>((resolve) => (go = resolve));
        return old;
      });
    });
    await ann.withBaseUrl(two.url).patch(`/v1/jobs/${id}`, { title: 'New' });
    go();

    expect((await slow).title).toBe('Old');
    expect((await read(title)).title).toBe('New');
    expect((await runAsUser(ann.id, () => two.get(Cache).read('a-race', id, title))).title).toBe('New');
  });

  it('keeps what it has when a unit rolls back or changes nothing', async () => {
    const path = `/v1/jobs/${await newJob(ann, 'Kept')}`;
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
    expect(await readsOf(one, () => ann.get(path))).toMatchObject({ memory: 1 });
  });

  it('stands aside while a request has an open unit', async () => {
    const id = await newJob(ann, 'Seen by all');
    await warm(ann, `/v1/jobs/${id}`, one);
    const reads = await readsOf(one, () =>
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

  it('freezes what it shares', async () => {
    const id = await newJob(ann, 'Shared');
    await warm(ann, `/v1/jobs/${id}`, one);
    const job = await runAsUser(ann.id, () => one.get(JobsService).get(id));

    expect(() => job.skills.push('mine')).toThrow(TypeError);
    expect(() => (job.title = 'mine')).toThrow(TypeError);
  });

  it('finds nothing of the time in which nobody followed the changes', async () => {
    const id = await insertJob(one.db, ann.id, { title: 'Before' });
    const last = await startApp({ settings: ON, sharedWith: one });
    await fresh(last);
    await warm(ann, `/v1/jobs/${id}`, last);
    for (const app of [one, two, last]) app.get(ChangeFeed).onApplicationShutdown();
    await last.close();
    await setTitle(id, 'Unseen');
    const first = await startApp({ settings: ON, sharedWith: one });
    try {
      await fresh(first);
      const { body } = await ann.withBaseUrl(first.url).get(`/v1/jobs/${id}`);

      expect(body.title).toBe('Unseen');
    } finally {
      await first.close();
      for (const app of [one, two]) app.get(ChangeFeed).onApplicationBootstrap();
    }
  });

  describe('stands aside', () => {
    let aside: TestApp;
    let id: number;

    beforeEach(async () => {
      aside = await startApp({ settings: ON, sharedWith: one });
      id = await insertJob(one.db, ann.id, { title: 'Before' });
      await fresh(aside);
      await warm(ann, `/v1/jobs/${id}`, aside);
    });
    afterEach(() => aside.close());

    const stale = (app: TestApp): Promise<unknown> =>
      waitFor('the last answer is too old', () => !app.get(ChangeFeed).isFresh);

    const titleThere = async (): Promise<string> =>
      (await runAsUser(ann.id, () => aside.get(JobsService).get(id))).title;

    it('when the last answer was asked for more than 0.9 s ago', () => {
      const feed = aside.get(ChangeFeed);
      const { lastPolledAtMs: knownUntil } = feed;
      const now = jest.spyOn(performance, 'now');
      const isFreshAfter = (ms: number): boolean => (now.mockReturnValue(knownUntil + ms), feed.isFresh);
      const ages = [0, 899, 901].map(isFreshAfter);
      now.mockRestore();

      expect(ages).toEqual([true, true, false]);
    });

    it('when the changes are not followed any more', async () => {
      jest
        .spyOn(aside.get(ChangeFeed) as unknown as { poll: () => Promise<void> }, 'poll')
        .mockReturnValue(new Promise(() => undefined));
      await setTitle(id, 'After');
      await stale(aside);
      const reads = await readsOf(aside, async () => expect(await titleThere()).toBe('After'));

      expect(reads).toEqual({ memory: 0, redis: 0, database: 0, bypassed: 1 });
    });

    it('when PostgreSQL does not tell of them in time', async () => {
      await one.db.transaction('superuser', async (client) => {
        await client.query('LOCK TABLE audit_logs IN ACCESS EXCLUSIVE MODE');
        await stale(aside);
        const reads = await readsOf(aside, async () => expect(await titleThere()).toBe('Before'));

        expect(reads).toEqual({ memory: 0, redis: 0, database: 0, bypassed: 1 });
      });
      await fresh(aside);
      await warm(ann, `/v1/jobs/${id}`, aside);
    });

    it.each(['commands', 'subscriber'] as const)('when Redis is away (%s), and comes back by itself', async (name) => {
      const client = aside.get(RedisClients)[name];
      client.disconnect();
      await new Promise((resolve) => client.once('close', resolve));
      await setTitle(id, 'After');
      const reads = await readsOf(aside, async () => expect(await titleThere()).toBe('After'));
      expect(reads).toEqual({ memory: 0, redis: 0, database: 0, bypassed: 1 });
      if (name === 'commands') {
        await runAsUser(ann.id, () => aside.get(JobsService).update(id, { title: 'Written without Redis' }));
        expect(await titleThere()).toBe('Written without Redis');
      }

      await client.connect();
      await fresh(aside);
      await warm(ann, `/v1/jobs/${id}`, aside);
    });

    it('when it is off', async () => {
      const off = await startApp({ settings: { CACHE_ENABLED: 'false' }, sharedWith: one });
      try {
        const reads = await readsOf(off, () => ann.withBaseUrl(off.url).get(`/v1/jobs/${id}`));

        expect(reads).toEqual({ memory: 0, redis: 0, database: 0, bypassed: 1 });
      } finally {
        await off.close();
      }
    });
  });

  it('holds keys of the run of Redis, the timeline, the tenant, the version and the build, which end', async () => {
    const id = await newJob(ann, 'Stored');
    await warm(ann, `/v1/jobs/${id}`, one);
    const [, run] = /run_id:(\w+)/.exec(await one.redis.info('server'))!;
    const keys = await one.redis.keys('cache:*');
    const lives = await Promise.all(keys.map((key) => one.redis.ttl(key)));

    expect(keys.every((key) => key.startsWith(`cache:${run}:`))).toBe(true);
    expect(
      keys.some((key) =>
        new RegExp(`^cache:${run}:\\d+-\\d+-[0-9A-F]{8}:${ann.id}:[\\w-]{16}:[\\w-]{12}:jobs:${id}$`).test(key),
      ),
    ).toBe(true);
    // -1 is a key without an end; one that ended meanwhile is -2.
    expect(lives).not.toContain(-1);
  });

  it('serves nothing of a timeline that a failover ended', async () => {
    const id = await newJob(ann, 'Lost by the failover');
    await warm(ann, `/v1/jobs/${id}`, one);
    // A promoted replica lacks the change: nothing is recorded of it, so the feed cannot report it.
    await one.db.query(
      'superuser',
      `BEGIN; SET LOCAL session_replication_role = replica; UPDATE jobs SET title = 'As promoted' WHERE id = ${id}; COMMIT`,
    );
    await followed(one);
    expect((await ann.get(`/v1/jobs/${id}`)).body.title).toBe('Lost by the failover');

    const database = one.get(SystemDatabase);
    const asMonitor = database.asMonitor.bind(database);
    jest.spyOn(database, 'asMonitor').mockImplementation(async (work) => {
      const rows = await asMonitor(work);
      if (Array.isArray(rows) && rows[0]?.timeline) rows[0].timeline += '2';
      return rows;
    });

    await waitFor(
      'the promoted title is read',
      async () => (await ann.get(`/v1/jobs/${id}`)).body.title === 'As promoted',
    );
    await fresh(one);
    expect(await one.get(RedisClients).commands.keys(`cache:*2:position`)).toHaveLength(1);
  });

  it('counts in the metrics', async () => {
    await warm(ann, `/v1/jobs/${await newJob(ann, 'Counted')}`, one);
    const { body } = await ann.get('/metrics');

    expect(body).toMatch(/^cache_reads_total\{from="memory"\} [1-9]/m);
    expect(body).toMatch(/^cache_bumps_total [1-9]/m);
  });
});

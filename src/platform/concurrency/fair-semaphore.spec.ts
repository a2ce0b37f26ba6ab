import { FairSemaphore } from './fair-semaphore';

/** Creates work that records its start and ends on demand. */
function createWork(started: string[], name: string) {
  let end = (): void => undefined;
  const done = new Promise<void>((resolve) => (end = resolve));
  const work = async (): Promise<void> => {
    started.push(name);
    await done;
  };
  return { work, end: () => end() };
}

const nextEventLoopTurn = (): Promise<void> => new Promise(setImmediate);

describe(FairSemaphore.name, () => {
  it('limits the work per key and in total, and serves waiting keys in turn', async () => {
    const started: string[] = [];
    const semaphore = new FairSemaphore<string>({ resource: 'imports', perKey: 2, total: 3 });
    const works = ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1'].map((name) => ({ name, ...createWork(started, name) }));
    const runs = works.map(({ name, work }) => semaphore.run(name[0]!, work));
    const finish = async (name: string): Promise<void> => {
      works.find((each) => each.name === name)!.end();
      await nextEventLoopTurn();
    };
    await nextEventLoopTurn();
    expect(started).toEqual(['a1', 'a2', 'b1']);

    await finish('a1');
    expect(started.at(-1)).toBe('a3');
    await finish('a2');
    expect(started.at(-1)).toBe('b2');
    await finish('a3');
    expect(started.at(-1)).toBe('c1');
    await finish('b1');
    expect(started.at(-1)).toBe('a4');

    for (const { end } of works) end();
    await Promise.all(runs);
  });

  it('rejects work at once when too much waits, and accepts work again later', async () => {
    const started: string[] = [];
    const semaphore = new FairSemaphore({ resource: 'imports', perKey: 1, maxWaitingPerKey: 1, retryAfterSeconds: 7 });
    const first = createWork(started, 'first');
    const runs = [semaphore.run(1, first.work), semaphore.run(1, async () => void started.push('second'))];

    await expect(semaphore.run(1, async () => undefined)).rejects.toMatchObject({
      code: 'rate.too_many_at_once',
      headers: { 'retry-after': '7' },
    });
    await semaphore.run(2, async () => void started.push('other key'));

    first.end();
    await Promise.all(runs);
    await semaphore.run(1, async () => void started.push('third'));
    expect(started).toEqual(['first', 'other key', 'second', 'third']);
  });

  it('limits the waiting work of all keys together', async () => {
    const semaphore = new FairSemaphore({ resource: 'hashes', perKey: 5, total: 1, maxWaiting: 1 });
    const release = await semaphore.acquire(1);
    const second = semaphore.acquire(2);

    await expect(semaphore.acquire(3)).rejects.toMatchObject({ code: 'rate.too_many_at_once' });

    release();
    (await second)();
    (await semaphore.acquire(3))();
  });

  it('rejects work that has waited too long, and continues with the rest', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    const semaphore = new FairSemaphore({ resource: 'requests', perKey: 1, maxWaitingPerKey: 2, maxWaitMs: 2_000 });
    const release = await semaphore.acquire(1);
    const early = semaphore.acquire(1);
    jest.advanceTimersByTime(1_500);
    const late = semaphore.acquire(1);
    jest.advanceTimersByTime(500);

    await expect(early).rejects.toMatchObject({ code: 'rate.too_many_at_once', headers: { 'retry-after': '2' } });

    release();
    const releaseLate = await late;
    jest.advanceTimersByTime(10_000);
    releaseLate();
    (await semaphore.acquire(1))();
    jest.useRealTimers();
  });

  it('releases a slot once, also when the work fails', async () => {
    const semaphore = new FairSemaphore({ resource: 'imports', perKey: 1 });
    const release = await semaphore.acquire(1);
    const failing = semaphore.run(1, () => Promise.reject(new Error('no')));
    release();
    release();
    await expect(failing).rejects.toThrow('no');
    const [held, waits] = [await semaphore.acquire(1), semaphore.acquire(1)];
    let hasStarted = false;
    void waits.then(() => (hasStarted = true));
    await nextEventLoopTurn();
    expect(hasStarted).toBe(false);
    held();
    (await waits)();
  });
});

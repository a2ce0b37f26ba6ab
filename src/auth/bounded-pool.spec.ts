import { BoundedPool, PoolFullError } from './bounded-pool';

describe(BoundedPool.name, () => {
  /** Work that ends when told. */
  function aTask() {
    let end = (): void => undefined;
    let hasBegun = false;
    const done = new Promise<void>((resolve) => (end = resolve));
    const work = (): Promise<void> => {
      hasBegun = true;
      return done;
    };
    return { work, end: () => end(), begun: () => hasBegun };
  }

  it('runs as many at once as it is wide, the others in their order', async () => {
    const pool = new BoundedPool(2, 10);
    const tasks = [aTask(), aTask(), aTask(), aTask()];
    const runs = tasks.map(({ work }) => pool.run(work));

    expect(tasks.map(({ begun }) => begun())).toEqual([true, true, false, false]);
    tasks[1]!.end();
    await runs[1];
    await Promise.resolve();
    expect(tasks.map(({ begun }) => begun())).toEqual([true, true, true, false]);

    tasks.forEach(({ end }) => end());
    await Promise.all(runs);
  });

  it('refuses at once what would wait behind too many, and takes work again later', async () => {
    const pool = new BoundedPool(1, 1);
    const first = aTask();
    const runs = [pool.run(first.work), pool.run(async () => 'second')];

    await expect(pool.run(async () => 'third')).rejects.toThrow(PoolFullError);

    first.end();
    await Promise.all(runs);
    expect(await pool.run(async () => 'fourth')).toBe('fourth');
  });

  it('gives the place on when work fails', async () => {
    const pool = new BoundedPool(1, 5);
    const failing = pool.run(() => Promise.reject(new Error('no')));
    const next = pool.run(async () => 'next');

    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('next');
  });
});

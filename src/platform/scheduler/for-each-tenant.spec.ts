import { forEachTenant, type DueItem, type TenantWork } from './for-each-tenant';

const base = (): Omit<TenantWork, 'find' | 'work'> => ({
  taskId: 'a-task',
  signal: new AbortController().signal,
  concurrency: 10,
  perTenant: 2,
  pollForMs: 60_000,
});

describe(forEachTenant.name, () => {
  const due: DueItem[] = [1, 2, 3].flatMap((userId) => [1, 2, 3].map((n) => ({ userId, id: userId * 10 + n })));

  it('processes each item once, and throws a failure after all others have ended', async () => {
    const done: number[] = [];
    const work = async ({ id }: DueItem): Promise<void> => {
      await new Promise(setImmediate);
      if (id === 11) throw new Error('the first');
      done.push(id);
    };

    await expect(forEachTenant({ ...base(), find: () => Promise.resolve([...due, ...due]), work })).rejects.toThrow(
      'the first',
    );

    expect(done.sort()).toEqual(due.map(({ id }) => id).filter((id) => id !== 11));
  });

  it('limits the items of one tenant at once', async () => {
    const running = new Map<number, number>();
    let most = 0;
    const work = async ({ userId }: DueItem): Promise<void> => {
      running.set(userId, (running.get(userId) ?? 0) + 1);
      most = Math.max(most, running.get(userId)!);
      await new Promise(setImmediate);
      running.set(userId, running.get(userId)! - 1);
    };

    expect(await forEachTenant({ ...base(), find: () => Promise.resolve(due), work })).toBe(9);
    expect(most).toBe(2);
  });

  it('starts no item after the run was aborted', async () => {
    const stop = new AbortController();
    const started: number[] = [];
    const work = async ({ id }: DueItem): Promise<void> => {
      started.push(id);
      stop.abort();
      await new Promise(setImmediate);
    };

    await forEachTenant({ ...base(), concurrency: 1, signal: stop.signal, find: () => Promise.resolve(due), work });

    expect(started).toEqual([11]);
  });
});

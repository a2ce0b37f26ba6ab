import { stressTokenRefresh } from './token-refresh';

describe(stressTokenRefresh.name, () => {
  it('makes one refresh for many concurrent processes, and asks the owner to reconnect after a kill', async () => {
    const result = await stressTokenRefresh({ workers: 2, requests: 10 });

    expect(result).toEqual({
      workers: 2,
      requests: 10,
      refreshed: 2,
      answered200: 10,
      seenByTheProvider: 1,
      refusedByTheProvider: 0,
      pairIsUsable: true,
      afterTheKill: { status: 'reconnect_needed', isPairKept: true, isOwnerNotified: true },
    });
  });
});

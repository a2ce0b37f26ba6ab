import { LocalSessionCache, type LiveSession } from './session-cache.service';

describe(LocalSessionCache.name, () => {
  let cache: LocalSessionCache;
  let now: number;
  const load = jest.fn<Promise<LiveSession | null>, []>();

  beforeEach(() => {
    cache = new LocalSessionCache();
    now = 1_000_000;
    jest.spyOn(Date, 'now').mockImplementation(() => now);
    load.mockReset().mockResolvedValue(null);
  });
  afterEach(() => jest.restoreAllMocks());

  it('loads a session once for all who ask within 900 ms, then again', async () => {
    await Promise.all([cache.get('a', load), cache.get('a', load)]);
    now += 899;
    await cache.get('a', load);
    expect(load).toHaveBeenCalledTimes(1);

    now += 1;
    await cache.get('a', load);
    expect(load).toHaveBeenCalledTimes(2);
  });

  it('does not cache a failed load', async () => {
    load.mockRejectedValueOnce(new Error('Redis is away'));

    await expect(cache.get('a', load)).rejects.toThrow('Redis is away');
    expect(await cache.get('a', load)).toBeNull();
  });

  it('loads a removed session again', async () => {
    await cache.get('a', load);
    cache.delete('a');
    await cache.get('a', load);

    expect(load).toHaveBeenCalledTimes(2);
  });

  it('keeps 20,000 sessions', async () => {
    for (let i = 0; i <= 20_000; i++) await cache.get(`session ${i}`, load);
    load.mockClear();

    await cache.get('session 1', load);
    expect(load).not.toHaveBeenCalled();
    await cache.get('session 0', load);
    expect(load).toHaveBeenCalledTimes(1);
  });
});

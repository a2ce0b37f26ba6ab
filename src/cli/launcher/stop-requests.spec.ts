import { StopRequests } from './stop-requests';

describe(StopRequests.name, () => {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => {
    jest.useRealTimers();
    for (const signal of signals) process.removeAllListeners(signal);
  });

  it.each(signals)('takes %s for a wish to stop', async (signal) => {
    const requests = new StopRequests(() => undefined);

    process.emit(signal, signal);

    expect(requests.signal.aborted).toBe(true);
    await requests.requested;
  });

  it('hastens at a second wish, but not at the echo of a Ctrl-C that npm passes on', () => {
    const haste = jest.fn();
    new StopRequests(haste);

    process.emit('SIGINT', 'SIGINT');
    process.emit('SIGINT', 'SIGINT');
    const afterEcho = haste.mock.calls.length;
    jest.advanceTimersByTime(2_000);
    process.emit('SIGINT', 'SIGINT');

    expect(afterEcho).toBe(0);
    expect(haste).toHaveBeenCalledTimes(1);
  });
});

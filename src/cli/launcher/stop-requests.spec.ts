import { StopRequests } from './stop-requests';

describe(StopRequests.name, () => {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => {
    jest.useRealTimers();
    for (const signal of signals) process.removeAllListeners(signal);
  });

  it.each(signals)('treats %s as a request to stop', async (signal) => {
    const requests = new StopRequests(() => undefined);

    process.emit(signal, signal);

    expect(requests.signal.aborted).toBe(true);
    await requests.requested;
  });

  it('forces the stop at a second request, but not at a Ctrl-C that npm forwards', () => {
    const onRepeatedRequest = jest.fn();
    new StopRequests(onRepeatedRequest);

    process.emit('SIGINT', 'SIGINT');
    process.emit('SIGINT', 'SIGINT');
    const afterDuplicate = onRepeatedRequest.mock.calls.length;
    jest.advanceTimersByTime(2_000);
    process.emit('SIGINT', 'SIGINT');

    expect(afterDuplicate).toBe(0);
    expect(onRepeatedRequest).toHaveBeenCalledTimes(1);
  });
});

import { CircuitBreaker } from './circuit-breaker';

const [ANN, BOB, CARL] = [1, 2, 3];

describe(CircuitBreaker.name, () => {
  let breaker: CircuitBreaker;
  beforeEach(() => {
    jest.useFakeTimers();
    breaker = new CircuitBreaker();
  });
  afterEach(() => jest.useRealTimers());

  const fail = (tenant: number, times: number): void => {
    for (let n = 0; n < times; n++) breaker.recordFailure(tenant);
  };

  it('opens only for the tenant whose calls fail', () => {
    fail(ANN, 50);

    expect(breaker.getDelayMs(ANN)).toBe(30_000);
    expect(breaker.getDelayMs(BOB)).toBe(0);
  });

  it('opens for all when calls of two tenants failed and none succeeded', () => {
    fail(ANN, 4);
    expect(breaker.getDelayMs(CARL)).toBe(0);
    fail(BOB, 1);

    expect([ANN, BOB, CARL].map((tenant) => breaker.getDelayMs(tenant))).toEqual([30_000, 30_000, 30_000]);
  });

  it('opens for all as soon as a second tenant fails after many failures of one', () => {
    fail(ANN, 50);
    jest.advanceTimersByTime(30_000);
    fail(BOB, 1);

    expect(breaker.getDelayMs(CARL)).toBe(30_000);
  });

  it('stays closed for the others while one of them gets answers', () => {
    for (let n = 0; n < 20; n++) {
      breaker.recordFailure(ANN);
      breaker.recordSuccess(BOB);
      breaker.recordFailure(CARL);
    }

    expect([ANN, BOB, CARL].map((tenant) => breaker.getDelayMs(tenant) > 0)).toEqual([true, false, true]);
  });

  it('lets one caller probe after the pause, and closes at the first answer', () => {
    fail(ANN, 3);
    fail(BOB, 3);
    jest.advanceTimersByTime(30_000);

    expect([breaker.getDelayMs(CARL), breaker.getDelayMs(ANN)]).toEqual([0, 30_000]);
    breaker.recordSuccess(CARL);
    expect([ANN, BOB, CARL].map((tenant) => breaker.getDelayMs(tenant))).toEqual([0, 0, 0]);
  });
});

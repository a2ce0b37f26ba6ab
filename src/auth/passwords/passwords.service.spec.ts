import { runInContext, type RequestContext } from '../../platform/context/request-context';
import { PasswordHashQueue } from './passwords.service';

jest.mock('node:os', () => ({ ...jest.requireActual<object>('node:os'), availableParallelism: () => 4 }));

/** Hashes that run until the test ends them, in the order of their start. */
class SlowHashes {
  readonly started: string[] = [];
  private readonly ends: (() => void)[] = [];

  create(name: string): () => Promise<void> {
    return () => {
      this.started.push(name);
      return new Promise((resolve) => this.ends.push(resolve));
    };
  }

  async endOldest(): Promise<void> {
    this.ends.shift()!();
    await waitForEventLoop();
  }
}

const waitForEventLoop = (): Promise<void> => new Promise(setImmediate);
const buildContext = (ip: string) => ({ ip }) as RequestContext;

describe(PasswordHashQueue.name, () => {
  let queue: PasswordHashQueue;
  let hashes: SlowHashes;
  beforeEach(() => {
    queue = new PasswordHashQueue();
    hashes = new SlowHashes();
  });

  const start = (account: string, ip: string): void => {
    runInContext(buildContext(ip), () => queue.run(account, hashes.create(account))).catch(() => undefined);
  };

  it('runs one hash per account and two per address at a time', async () => {
    for (const account of ['a', 'a', 'b', 'c']) start(account, '192.0.2.1');
    await waitForEventLoop();

    expect(hashes.started).toEqual(['a', 'b']);
    await hashes.endOldest();
    await hashes.endOldest();
    expect(hashes.started.sort()).toEqual(['a', 'a', 'b', 'c']);
  });

  it('delays another sign-in only by the running hashes when 45 loops sign in with a right password', async () => {
    for (let n = 0; n < 45; n++) start('attacker', '192.0.2.1');
    for (let n = 0; n < 45; n++) start(`attacker-${n}`, '2001:db8::1');
    for (let n = 0; n < 45; n++) start(`attacker-${n}`, `2001:db8::${n + 2}`);
    await waitForEventLoop();
    expect(hashes.started).toHaveLength(3);
    start('owner', '198.51.100.7');

    await hashes.endOldest();
    await hashes.endOldest();
    await hashes.endOldest();

    expect(hashes.started.indexOf('owner')).toBeGreaterThan(-1);
    expect(hashes.started.indexOf('owner')).toBeLessThanOrEqual(5);
  });

  it('rejects a request with Retry-After when too many of its address wait, and accepts other addresses', async () => {
    for (let n = 0; n < 34; n++) start(`account-${n}`, '192.0.2.1');
    await waitForEventLoop();
    const rejected = runInContext(buildContext('192.0.2.1'), () => queue.run('one more', hashes.create('one more')));

    await expect(rejected).rejects.toMatchObject({ code: 'rate.too_many_at_once', headers: { 'retry-after': '10' } });
    start('owner', '198.51.100.7');
    await waitForEventLoop();
    expect(hashes.started).toContain('owner');
  });
});

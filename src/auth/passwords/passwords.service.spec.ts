import { runInContext, type RequestContext } from '../../platform/context/request-context';
import { PasswordHashQueue } from './passwords.service';

jest.mock('node:os', () => ({ ...jest.requireActual<object>('node:os'), availableParallelism: () => 4 }));

/** Hashes that run until they are ended by hand, in the order in which they began. */
class SlowHashes {
  readonly begun: string[] = [];
  private readonly ends: (() => void)[] = [];

  of(name: string): () => Promise<void> {
    return () => {
      this.begun.push(name);
      return new Promise((resolve) => this.ends.push(resolve));
    };
  }

  async endOldest(): Promise<void> {
    this.ends.shift()!();
    await turnOfTheLoop();
  }
}

const turnOfTheLoop = (): Promise<void> => new Promise(setImmediate);
const contextOf = (ip: string) => ({ ip }) as RequestContext;

describe(PasswordHashQueue.name, () => {
  let queue: PasswordHashQueue;
  let hashes: SlowHashes;
  beforeEach(() => {
    queue = new PasswordHashQueue();
    hashes = new SlowHashes();
  });

  const begin = (account: string, ip: string): void => {
    runInContext(contextOf(ip), () => queue.run(account, hashes.of(account))).catch(() => undefined);
  };

  it('runs one hash of an account and two of an address at a time', async () => {
    for (const account of ['a', 'a', 'b', 'c']) begin(account, '192.0.2.1');
    await turnOfTheLoop();

    expect(hashes.begun).toEqual(['a', 'b']);
    await hashes.endOldest();
    await hashes.endOldest();
    expect(hashes.begun.sort()).toEqual(['a', 'a', 'b', 'c']);
  });

  it('lets 45 loops of one account, whose password is right, delay another sign-in by the hashes that run only', async () => {
    for (let n = 0; n < 45; n++) begin('attacker', '192.0.2.1');
    for (let n = 0; n < 45; n++) begin(`attacker-${n}`, '2001:db8::1');
    for (let n = 0; n < 45; n++) begin(`attacker-${n}`, `2001:db8::${n + 2}`);
    await turnOfTheLoop();
    expect(hashes.begun).toHaveLength(3);
    begin('owner', '198.51.100.7');

    await hashes.endOldest();
    await hashes.endOldest();
    await hashes.endOldest();

    expect(hashes.begun.indexOf('owner')).toBeGreaterThan(-1);
    expect(hashes.begun.indexOf('owner')).toBeLessThanOrEqual(5);
  });

  it('refuses at once with Retry-After what would wait behind too much of its own address, and nobody else', async () => {
    for (let n = 0; n < 34; n++) begin(`account-${n}`, '192.0.2.1');
    await turnOfTheLoop();
    const refused = runInContext(contextOf('192.0.2.1'), () => queue.run('one more', hashes.of('one more')));

    await expect(refused).rejects.toMatchObject({ code: 'rate.too_many_at_once', headers: { 'retry-after': '10' } });
    begin('owner', '198.51.100.7');
    await turnOfTheLoop();
    expect(hashes.begun).toContain('owner');
  });
});

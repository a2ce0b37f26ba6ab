import { buildEmail } from './data-set';
import { runLoad, type LoadRequest } from './load';
import { buildRequests } from './operations';
import type { BenchEnvironment } from './rounds';
import { computeSpread, type Spread } from './statistics';

/** Sign-ins, and reads next to them. */
export interface Logins {
  /** Sequential sign-ins a second, and the time of one. */
  readonly rps: number;
  readonly p50Ms: number;
  /** Sign-ins a second with many more requests than the pool hashes, and no other load. */
  readonly saturatedRps: number;
  /** The same during reads. */
  readonly underReadsRps: number;
  /** Rate of reads while sign-ins fill the pool, relative to the rate without, alternately. */
  readonly readsKept: Spread;
}

/** The pool hashes on all cores but one; this number fills it without refusals. */
const CONCURRENCY = 16;
const READERS = 8;
const MIN_SECONDS = 2;

/**
 * Signs in with correct passwords, each time another user. No throttle applies, so bcrypt at production's cost is the
 * limit. Reads are measured alone and next to it, alternately.
 */
export async function measureLogins(
  { users: benchUsers, servers }: BenchEnvironment,
  options: { seconds: number; rounds: number },
): Promise<Logins> {
  const { port } = servers.product;
  const seconds = Math.max(MIN_SECONDS, options.seconds);
  let user = 0;
  const login = (): LoadRequest => ({
    method: 'POST',
    path: '/v1/auth/login',
    body: JSON.stringify({ email: buildEmail(1 + (user++ % benchUsers.users)), password: benchUsers.password }),
  });
  const reads = () => runLoad({ port, connections: READERS, seconds, next: buildRequests('a', benchUsers) });
  const flood = () => runLoad({ port, connections: CONCURRENCY, seconds: seconds + 1, next: login });
  const single = await runLoad({ port, connections: 1, seconds, next: login });
  const saturated = await flood();
  const kept: number[] = [];
  const floods = [];
  for (let round = 0; round < Math.min(3, options.rounds); round++) {
    const alone = await reads();
    const [under, flooded] = await Promise.all([reads(), flood()]);
    kept.push(under.rps / alone.rps);
    floods.push(flooded);
  }
  const median = (values: readonly number[]): number => Math.round(computeSpread(values)!.median * 10) / 10;
  return {
    rps: median([single.rps]),
    p50Ms: Math.round(single.p50Ms),
    saturatedRps: median([saturated.rps]),
    underReadsRps: median(floods.map(({ rps }) => rps)),
    readsKept: computeSpread(kept)!,
  };
}

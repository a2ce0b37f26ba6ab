import { buildEmail } from './data-set';
import { runLoad, type LoadRequest } from './load';
import { buildRequests } from './operations';
import type { BenchEnvironment } from './rounds';
import { computeSpread, type Spread } from './statistics';

/** Sign-ins, and reads beside them. */
export interface Logins {
  /** A second, one after the other, and what one takes. */
  readonly rps: number;
  readonly p50Ms: number;
  /** A second, with many more at a time than the pool hashes, nothing else under way. */
  readonly saturatedRps: number;
  /** The same while reads go on. */
  readonly underReadsRps: number;
  /** Rate of reads while sign-ins keep the pool full, by the rate without, in turns. */
  readonly readsKept: Spread;
}

/** The pool hashes on all cores but one; this many keep it full, and none is sent away. */
const CONCURRENCY = 16;
const READERS = 8;
const MIN_SECONDS = 2;

/**
 * Signs in with right passwords, each time another user; no count of failures is in the way, so what limits is bcrypt at
 * production's cost. Reads are measured alone and beside it, in turns.
 */
export async function measureLogins(
  { users: cast, servers }: BenchEnvironment,
  options: { seconds: number; rounds: number },
): Promise<Logins> {
  const { port } = servers.product;
  const seconds = Math.max(MIN_SECONDS, options.seconds);
  let user = 0;
  const login = (): LoadRequest => ({
    method: 'POST',
    path: '/v1/auth/login',
    body: JSON.stringify({ email: buildEmail(1 + (user++ % cast.users)), password: cast.password }),
  });
  const reads = () => runLoad({ port, connections: READERS, seconds, next: buildRequests('a', cast) });
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

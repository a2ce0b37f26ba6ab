import { emailOf } from './data-set';
import { load, type LoadRequest } from './load';
import { requestsOf } from './operations';
import type { Arena } from './rounds';
import { spreadOf, type Spread } from './statistics';

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
const AT_A_TIME = 16;
const READERS = 8;
const LEAST_SECONDS = 2;

/**
 * Signs in with right passwords, each time another user; no count of failures is in the way, so what limits is bcrypt at
 * production's cost. Reads are measured alone and beside it, in turns.
 */
export async function measureLogins(
  { cast, servers }: Arena,
  options: { seconds: number; rounds: number },
): Promise<Logins> {
  const { port } = servers.product;
  const seconds = Math.max(LEAST_SECONDS, options.seconds);
  let user = 0;
  const login = (): LoadRequest => ({
    method: 'POST',
    path: '/v1/auth/login',
    body: JSON.stringify({ email: emailOf(1 + (user++ % cast.users)), password: cast.password }),
  });
  const reads = () => load({ port, connections: READERS, seconds, next: requestsOf('a', cast) });
  const flood = () => load({ port, connections: AT_A_TIME, seconds: seconds + 1, next: login });
  const single = await load({ port, connections: 1, seconds, next: login });
  const saturated = await flood();
  const kept: number[] = [];
  const floods = [];
  for (let round = 0; round < Math.min(3, options.rounds); round++) {
    const alone = await reads();
    const [under, flooded] = await Promise.all([reads(), flood()]);
    kept.push(under.rps / alone.rps);
    floods.push(flooded);
  }
  const median = (values: readonly number[]): number => Math.round(spreadOf(values)!.median * 10) / 10;
  return {
    rps: median([single.rps]),
    p50Ms: Math.round(single.p50Ms),
    saturatedRps: median([saturated.rps]),
    underReadsRps: median(floods.map(({ rps }) => rps)),
    readsKept: spreadOf(kept)!,
  };
}

import { createDataSet, type DataSize } from './data-set';
import { runLoad } from './load';
import { buildRequests } from './operations';
import type { BenchEnvironment } from './rounds';
import { BenchServerProcess } from './server-process';
import { buildProductEnvironment } from './servers';
import type { BenchServices } from './services';
import { computeSpread, type Spread } from './statistics';

/** Time of a request with ten times the users, each with the same jobs, relative to that without; of neighbours. */
export interface ScalingResult {
  readonly users: number;
  readonly jobs: number;
  readonly a: Spread;
  readonly b: Spread;
  readonly e: Spread;
}

const SCALE_FACTOR = 10;
const WARM_UP_SECONDS = 2;

/**
 * Creates two databases, one with ten times the users, in which the first users have the same ids and jobs as in the
 * other. The same requests go to a product on either, alternately.
 */
export async function measureScaling(
  benchEnvironment: BenchEnvironment,
  services: BenchServices,
  { users, jobs, seconds, rounds }: DataSize & { seconds: number; rounds: number },
): Promise<ScalingResult> {
  const start = async (database: string, times: number): Promise<BenchServerProcess> => {
    console.log(`making ${users * times} users with ${jobs * times} jobs …`);
    await services.createDatabase(database);
    await createDataSet(
      services,
      { users, jobs, largeTenantJobs: 0, times },
      benchEnvironment.users.passwordHash,
      database,
    );
    return BenchServerProcess.start('product', buildProductEnvironment(services, { database }));
  };
  const onefold = await start('gigvault_onefold', 1);
  const tenfold = await start('gigvault_tenfold', SCALE_FACTOR);
  try {
    const slowdown = async (operation: 'a' | 'b' | 'e'): Promise<Spread> => {
      const run = ({ port }: BenchServerProcess, length = seconds) =>
        runLoad({ port, connections: 16, seconds: length, next: buildRequests(operation, benchEnvironment.users) });
      for (const server of [onefold, tenfold]) await run(server, WARM_UP_SECONDS);
      const ratios: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const order = round % 2 === 0 ? [onefold, tenfold] : [tenfold, onefold];
        const [first, second] = [await run(order[0]!), await run(order[1]!)];
        ratios.push(round % 2 === 0 ? first.rps / second.rps : second.rps / first.rps);
      }
      return computeSpread(ratios)!;
    };
    return {
      users: users * SCALE_FACTOR,
      jobs: jobs * SCALE_FACTOR,
      a: await slowdown('a'),
      b: await slowdown('b'),
      e: await slowdown('e'),
    };
  } finally {
    await Promise.all([onefold.stop(), tenfold.stop()]);
  }
}

import { makeDataSet, type DataSize } from './data-set';
import { load } from './load';
import { requestsOf } from './operations';
import type { Arena } from './rounds';
import { ServerProcess } from './server-process';
import { productEnvironment } from './servers';
import type { BenchServices } from './services';
import { spreadOf, type Spread } from './statistics';

/** Time of a request with ten times the users, each with the same jobs, by that without; of neighbours. */
export interface Tenfold {
  readonly users: number;
  readonly jobs: number;
  readonly a: Spread;
  readonly b: Spread;
  readonly e: Spread;
}

const TIMES = 10;
const WARM_UP_SECONDS = 2;

/**
 * Makes two fresh databases, one with ten times the users, in which the first have the very ids and jobs that they have in
 * the other; the same requests go to a product on either, in turns.
 */
export async function measureTenfold(
  arena: Arena,
  services: BenchServices,
  { users, jobs, seconds, rounds }: DataSize & { seconds: number; rounds: number },
): Promise<Tenfold> {
  const start = async (database: string, times: number): Promise<ServerProcess> => {
    console.log(`making ${users * times} users with ${jobs * times} jobs …`);
    await services.makeDatabase(database);
    await makeDataSet(services, { users, jobs, largeTenantJobs: 0, times }, arena.cast.passwordHash, database);
    return ServerProcess.start('product', productEnvironment(services, { database }));
  };
  const onefold = await start('gigvault_onefold', 1);
  const tenfold = await start('gigvault_tenfold', TIMES);
  try {
    const slowdown = async (operation: 'a' | 'b' | 'e'): Promise<Spread> => {
      const run = ({ port }: ServerProcess, length = seconds) =>
        load({ port, connections: 16, seconds: length, next: requestsOf(operation, arena.cast) });
      for (const server of [onefold, tenfold]) await run(server, WARM_UP_SECONDS);
      const ratios: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const order = round % 2 === 0 ? [onefold, tenfold] : [tenfold, onefold];
        const [first, second] = [await run(order[0]!), await run(order[1]!)];
        ratios.push(round % 2 === 0 ? first.rps / second.rps : second.rps / first.rps);
      }
      return spreadOf(ratios)!;
    };
    return {
      users: users * TIMES,
      jobs: jobs * TIMES,
      a: await slowdown('a'),
      b: await slowdown('b'),
      e: await slowdown('e'),
    };
  } finally {
    await Promise.all([onefold.stop(), tenfold.stop()]);
  }
}

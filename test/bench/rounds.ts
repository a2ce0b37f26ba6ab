import type { Cast } from './callers';
import { cpuOfPostgres } from './cpu';
import { load, type LoadResult } from './load';
import { pgbenchScriptOf, requestsOf, type Operation } from './operations';
import type { Pgbench } from './pgbench';
import type { ServerProcess } from './server-process';

/** Those that are compared; each operation is run by all of them in turn. */
export const CONTENDERS = ['pgbench', 'fastify', 'fastifyPipelined', 'product'] as const;
/** One of CONTENDERS. */
export type Contender = (typeof CONTENDERS)[number];

/** What one contender did in one round; CPU is in microseconds a request. */
export interface Measurement extends Partial<LoadResult> {
  readonly rps: number;
  readonly serverCpuUs?: number;
  readonly postgresCpuUs?: number;
}

/** One round: every contender once, one after the other, so that a ratio compares neighbours in time. */
export type Round = Partial<Record<Contender, Measurement>>;

/** What a round needs. */
export interface Arena {
  readonly cast: Cast;
  readonly rareWords: number;
  readonly postgresPid: number;
  readonly pgbench: Pgbench | undefined;
  readonly servers: Readonly<Record<Exclude<Contender, 'pgbench'>, ServerProcess>>;
}

/** How often, how long and how many at a time. */
export interface RoundsOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
}

/** Less than this, and a server is judged by code that is not compiled yet. */
const WARM_UP_SECONDS = 1.5;

/** Runs the rounds of one operation; each begins with another contender, so that none always runs after the same one. */
export async function measure(arena: Arena, operation: Operation, { rounds, seconds, connections }: RoundsOptions): Promise<Round[]> {
  const results: Round[] = [];
  // The first requests meet cold code, empty pools and statements without a plan.
  for (const contender of CONTENDERS) await once(arena, contender, operation, Math.max(WARM_UP_SECONDS, seconds / 2), connections);
  for (let number = 0; number < rounds; number++) {
    const round: Round = {};
    for (let i = 0; i < CONTENDERS.length; i++) {
      const contender = CONTENDERS[(i + number) % CONTENDERS.length]!;
      const measurement = await once(arena, contender, operation, seconds, connections);
      if (measurement) round[contender] = measurement;
    }
    results.push(round);
  }
  return results;
}

async function once(
  { cast, rareWords, postgresPid, pgbench, servers }: Arena,
  contender: Contender,
  operation: Operation,
  seconds: number,
  connections: number,
): Promise<Measurement | undefined> {
  if (contender === 'pgbench') {
    if (!pgbench) return undefined;
    return { rps: await pgbench.rate(operation, pgbenchScriptOf(operation, cast, rareWords), connections, seconds) };
  }
  const server = servers[contender];
  const before = [server.cpu, cpuOfPostgres(postgresPid)] as const;
  const result = await load({ port: server.port, connections, seconds, next: requestsOf(operation, cast, rareWords) });
  return {
    ...result,
    serverCpuUs: (server.cpu - before[0]) / result.requests,
    postgresCpuUs: (cpuOfPostgres(postgresPid) - before[1]) / result.requests,
  };
}

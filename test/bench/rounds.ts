import type { BenchUsers } from './bench-users';
import { readCpu, readCpuOfEndedChildren, readCpuOfPostgres } from './cpu';
import { runLoad, type LoadResult } from './load';
import { buildPgbenchScript, buildRequests, type Operation } from './operations';
import type { ContextSigner } from '../../src/platform/database/context-signer';
import type { Pgbench } from './pgbench';
import type { BenchServerProcess } from './server-process';
import type { Servers } from './servers';

/** The compared servers; each operation is run by all of them in rotation. */
export const CONTENDERS = ['pgbench', 'fastify', 'fastifyPipelined', 'product', 'productCached'] as const;
/** One of CONTENDERS. */
export type Contender = (typeof CONTENDERS)[number];

/** The result of one contender in one round; CPU is in microseconds a request, also for the load generator. */
export interface Measurement extends LoadResult {
  readonly serverCpuUs?: number;
  readonly postgresCpuUs: number;
  readonly redisCpuUs?: number;
}

/** One round: every contender once, one after the other, so that a ratio compares neighbours in time. */
export type Round = Partial<Record<Contender, Partial<Measurement>>>;

/** The inputs of a round. */
export interface BenchEnvironment {
  readonly users: BenchUsers;
  readonly postgresPid: number;
  readonly redisPid: number;
  readonly pgbench: Pgbench | undefined;
  readonly signer: ContextSigner;
  readonly servers: Servers;
}

/** The number and length of rounds, and the number of connections. */
export interface RoundsOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  /** Requests of each server before the first round, within twelve seconds. Then V8 has compiled its code. */
  readonly warmUpRequests: number;
  readonly contenders?: readonly Contender[];
}

/** Limit of a warm-up, in runs of a second. */
const MAX_WARM_UP_SECONDS = 12;

/** Length of a run before each measurement: a pool closes connections that are idle for ten seconds. */
const RECONNECT_SECONDS = 0.2;

/** Runs the rounds of one operation; each begins with another contender, so that the order changes. */
export async function measure(
  benchEnvironment: BenchEnvironment,
  operation: Operation,
  options: RoundsOptions,
): Promise<Round[]> {
  const { rounds, seconds, connections, contenders = CONTENDERS } = options;
  const results: Round[] = [];
  // The first requests run uncompiled code, empty pools and statements without a plan.
  for (const contender of contenders) await warmUp(benchEnvironment, contender, operation, options);
  for (let number = 0; number < rounds; number++) {
    const round: Round = {};
    for (let i = 0; i < contenders.length; i++) {
      const contender = contenders[(i + number) % contenders.length]!;
      const measurement = await measureOnce(benchEnvironment, contender, operation, seconds, connections);
      if (measurement) round[contender] = measurement;
    }
    results.push(round);
  }
  return results;
}

async function warmUp(
  benchEnvironment: BenchEnvironment,
  contender: Contender,
  operation: Operation,
  { connections, warmUpRequests }: RoundsOptions,
): Promise<void> {
  let requests = 0;
  for (let second = 0; second < MAX_WARM_UP_SECONDS && requests < warmUpRequests; second++) {
    const measurement = await measureOnce(benchEnvironment, contender, operation, 1, connections);
    requests += measurement && contender !== 'pgbench' ? measurement.requests : Infinity;
  }
}

async function measureOnce(
  benchEnvironment: BenchEnvironment,
  contender: Contender,
  operation: Operation,
  seconds: number,
  connections: number,
): Promise<Measurement | undefined> {
  const { users: benchUsers } = benchEnvironment;
  if (contender === 'pgbench')
    return (
      benchEnvironment.pgbench &&
      measurePgbench(benchEnvironment, benchEnvironment.pgbench, operation, seconds, connections)
    );
  const server = benchEnvironment.servers[contender];
  if (!server) return undefined;
  const load = { port: server.port, connections, next: buildRequests(operation, benchUsers) };
  await runLoad({ ...load, seconds: RECONNECT_SECONDS });
  const cpu = startCpu(benchEnvironment, server);
  const result = await runLoad({ ...load, seconds });
  return { ...result, ...cpu(result.requests) };
}

async function measurePgbench(
  benchEnvironment: BenchEnvironment,
  pgbench: Pgbench,
  operation: Operation,
  seconds: number,
  connections: number,
): Promise<Measurement> {
  const [cpu, own] = [startCpu(benchEnvironment), readCpuOfEndedChildren()];
  const result = await pgbench.run(
    operation,
    buildPgbenchScript(operation, benchEnvironment.users, benchEnvironment.signer),
    connections,
    seconds,
  );
  const { postgresCpuUs } = cpu(result.requests);
  return { ...result, postgresCpuUs, clientCpuUs: (readCpuOfEndedChildren() - own) / result.requests };
}

/** Starts to count CPU; the returned function gives the CPU of a request. */
function startCpu({ postgresPid, redisPid }: BenchEnvironment, server?: BenchServerProcess) {
  const read = (): number[] => [server?.cpu ?? NaN, readCpuOfPostgres(postgresPid), readCpu(redisPid)];
  const before = read();
  return (requests: number): { serverCpuUs: number; postgresCpuUs: number; redisCpuUs: number } => {
    const [serverCpuUs, postgresCpuUs, redisCpuUs] = read().map((after, i) => (after - before[i]!) / requests);
    return { serverCpuUs: serverCpuUs!, postgresCpuUs: postgresCpuUs!, redisCpuUs: redisCpuUs! };
  };
}

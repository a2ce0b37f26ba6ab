import { Pool, type PoolClient } from 'pg';
import { pgTypes } from '../../src/platform/database/driver/pg-types';
import { type PipelinedStatement, StatementPipeline } from '../../src/platform/database/driver/statement-pipeline';
import { SET_CONTEXT } from '../../src/platform/database/transaction-settings';
import { readCpuOfPostgres } from './cpu';
import { BenchServices } from './services';
import { computeSpread } from './statistics';

const CONNECTIONS = 8;
const BLOCKS = 40;
const WARM_UP_BLOCKS = 6;
const UNITS_PER_BLOCK = 800;
const ANSWER_TIMEOUT_MS = 60_000;

const CONTEXT: PipelinedStatement = {
  name: 'context',
  text: SET_CONTEXT,
  values: ['7', 'user', '7', 'a-request', '127.0.0.1', 'GET /v1/jobs/:id', '', 'triggers', '15000'],
};

/** Reads a row of 33 columns; a job has 25. */
const READ: PipelinedStatement = {
  name: 'read',
  text: 'SELECT * FROM pg_class WHERE oid = $1',
  values: ['1259'],
};

/** pg gives each statement a Sync, so that only BEGIN and COMMIT make them one transaction. */
const IN_TRANSACTION: readonly PipelinedStatement[] = [
  { text: 'BEGIN', values: [] },
  CONTEXT,
  READ,
  { text: 'COMMIT', values: [] },
];

/** The costs of one unit in microseconds: of the CPU of this process, of that of PostgreSQL, and of time. */
type Costs = readonly [own: number, postgres: number, time: number];

type Work = (client: PoolClient) => Promise<unknown>;

const COSTS = ['CPU of Node', 'CPU of PostgreSQL', 'time'] as const;

function sendThroughOwn(client: PoolClient, statements: readonly PipelinedStatement[]): Promise<unknown> {
  return StatementPipeline.send(client, statements, ANSWER_TIMEOUT_MS);
}

async function sendThroughPg(client: PoolClient, statements: readonly PipelinedStatement[]): Promise<unknown> {
  const { stream } = client.connection;
  stream.cork();
  const sent = statements.map((statement) => client.query({ ...statement, values: [...statement.values] }));
  stream.uncork();
  return Promise.all(sent);
}

async function measureBlock(pool: Pool, work: Work, postgresPid: number): Promise<Costs> {
  const [cpu, postgresCpu, startedAt] = [process.cpuUsage(), readCpuOfPostgres(postgresPid), performance.now()];
  const lane = async (): Promise<void> => {
    for (let unit = 0; unit < UNITS_PER_BLOCK / CONNECTIONS; unit++) {
      const client = await pool.connect();
      await work(client);
      client.release();
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, lane));
  const { user, system } = process.cpuUsage(cpu);
  const costs = [user + system, readCpuOfPostgres(postgresPid) - postgresCpu, (performance.now() - startedAt) * 1_000];
  return costs.map((cost) => cost / UNITS_PER_BLOCK) as unknown as Costs;
}

/** Prints the costs of pg's pipeline relative to our own, in alternating blocks. */
async function compare(title: string, own: () => Promise<Costs>, pgs: () => Promise<Costs>): Promise<void> {
  const pairs: { readonly own: Costs; readonly pg: Costs }[] = [];
  for (let block = -WARM_UP_BLOCKS; block < BLOCKS; block++) {
    // Either side goes first every other time: garbage of one is often collected in the block of the other.
    const isOwnFirst = block % 2 === 0;
    const first = await (isOwnFirst ? own() : pgs());
    const second = await (isOwnFirst ? pgs() : own());
    if (block >= 0) pairs.push(isOwnFirst ? { own: first, pg: second } : { own: second, pg: first });
  }
  for (const [i, what] of COSTS.entries()) {
    const { median, lower, upper } = computeSpread(pairs.map((pair) => pair.pg[i]! / pair.own[i]!))!;
    const costOf = (side: 'own' | 'pg') => computeSpread(pairs.map((pair) => pair[side][i]!))!.median.toFixed(0);
    const ratio = `${median.toFixed(2)} [${lower.toFixed(2)}–${upper.toFixed(2)}]`;
    console.log(`${title}, ${what}: pg ${costOf('pg')} µs, own ${costOf('own')} µs, ratio ${ratio}`);
  }
}

/** Measures a read of one row in the context of a tenant through StatementPipeline and through pg's pipeline. */
async function main(): Promise<void> {
  const services = new BenchServices();
  await services.start();
  const options = { connectionString: services.buildUrl('app'), max: CONNECTIONS, types: pgTypes };
  const pools = { own: new Pool(options), pg: new Pool({ ...options, pipeline: true }) };
  // A client that ends may still receive the shutdown of PostgreSQL.
  for (const pool of Object.values(pools)) pool.on('connect', (client) => client.on('error', () => undefined));
  const own = (statements: readonly PipelinedStatement[]) => () =>
    measureBlock(pools.own, (client) => sendThroughOwn(client, statements), services.postgresPid);
  const pgs = () => measureBlock(pools.pg, (client) => sendThroughPg(client, IN_TRANSACTION), services.postgresPid);
  try {
    await compare('same statements', own(IN_TRANSACTION), pgs);
    await compare('as used', own([CONTEXT, READ]), pgs);
  } finally {
    await Promise.all([pools.own.end(), pools.pg.end()]);
    await services.stop();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});

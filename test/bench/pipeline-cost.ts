import { Pool, type PoolClient } from 'pg';
import { pgTypes } from '../../src/platform/database/driver/direct-connection';
import { type PipelinedStatement, StatementPipeline } from '../../src/platform/database/driver/statement-pipeline';
import { SET_CONTEXT } from '../../src/platform/database/transaction-settings';
import { readCpuOfPostgres } from './cpu';
import type { BenchServices } from './services';
import { computeSpread, type Spread } from './statistics';

const CONNECTIONS = 8;
const WARM_UP_BLOCKS = 6;
const UNITS_PER_BLOCK = 800;
const ANSWER_TIMEOUT_MS = 60_000;

const CONTEXT: PipelinedStatement = {
  name: 'context',
  text: SET_CONTEXT,
  values: [`${'0'.repeat(64)}1700000000\x1f7\x1fuser\x1f7`, '15000'],
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

const COST_INDEXES = [0, 1, 2] as const;

/** The costs of pg's pipeline relative to our own. */
interface CostRatios {
  readonly node: Spread;
  readonly postgres: Spread;
  readonly time: Spread;
}

/** The cost of a read through pg's pipeline relative to StatementPipeline. */
export interface PipelineCost {
  /** Both send BEGIN and COMMIT. */
  readonly sameStatements: CostRatios;
  /** Only pg needs BEGIN and COMMIT. */
  readonly asUsed: CostRatios;
}

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

/** Returns pg's costs relative to our own, in alternating blocks. */
async function compare(blocks: number, own: () => Promise<Costs>, pgs: () => Promise<Costs>): Promise<CostRatios> {
  const ratios: Costs[] = [];
  for (let block = -WARM_UP_BLOCKS; block < blocks; block++) {
    // Either side goes first every other time: garbage of one is often collected in the block of the other.
    const isOwnFirst = block % 2 === 0;
    const first = await (isOwnFirst ? own() : pgs());
    const second = await (isOwnFirst ? pgs() : own());
    const [ours, theirs] = isOwnFirst ? [first, second] : [second, first];
    if (block >= 0) ratios.push(ours.map((cost, i) => theirs[i]! / cost) as unknown as Costs);
  }
  const [node, postgres, time] = COST_INDEXES.map((i) => computeSpread(ratios.map((costs) => costs[i]))!);
  return { node: node!, postgres: postgres!, time: time! };
}

/** Measures a read of one row in the context of a tenant through StatementPipeline and through pg's pipeline. */
export async function measurePipelineCost(services: BenchServices, blocks: number): Promise<PipelineCost> {
  const options = { connectionString: services.buildUrl('app'), max: CONNECTIONS, types: pgTypes };
  const pools = { own: new Pool(options), pg: new Pool({ ...options, pipeline: true }) };
  const own = (statements: readonly PipelinedStatement[]) => () =>
    measureBlock(pools.own, (client) => sendThroughOwn(client, statements), services.postgresPid);
  const pgs = () => measureBlock(pools.pg, (client) => sendThroughPg(client, IN_TRANSACTION), services.postgresPid);
  try {
    return {
      sameStatements: await compare(blocks, own(IN_TRANSACTION), pgs),
      asUsed: await compare(blocks, own([CONTEXT, READ]), pgs),
    };
  } finally {
    await Promise.all([pools.own.end(), pools.pg.end()]);
  }
}

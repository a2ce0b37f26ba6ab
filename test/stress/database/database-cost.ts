import { Pool } from 'pg';
import { toJobContent, buildSourceKey } from '../../../src/jobs/job-content';
import { Job } from '../../../src/jobs/job.entity';
import { Database } from '../../../src/platform/database/database';
import { buildJob } from '../../bench/operations';
import { computeSpread } from '../../bench/statistics';
import { runAsUser } from '../../support/run-as-user';
import { HandWrittenDatabase } from './hand-written-database';
import { InProcessApi } from '../in-process-api';

/** Sizes of the measurement. */
export interface DatabaseCostOptions {
  /** Blocks of each side, which alternate. */
  readonly blocks: number;
  readonly unitsPerBlock: number;
}

/** CPU of this process for one unit of work, in microseconds, through Database and by hand. */
export interface DatabaseCost {
  readonly productUs: number;
  readonly handWrittenUs: number;
  /** The cost of the least disturbed blocks. */
  readonly ratio: number;
  /** The cost of each block relative to its neighbour: the median and the middle half. */
  readonly paired: readonly [median: number, lower: number, upper: number];
}

/** The result. */
export interface DatabaseCostResult {
  readonly read: DatabaseCost;
  readonly create: DatabaseCost;
  readonly patch: DatabaseCost;
}

/** Concurrent units, and connections on either side. */
const CONCURRENCY = 8;
const WARM_UP_BLOCKS = 6;

/**
 * Measures the cost of Database without HTTP, next to the same statements sent by hand over pg's pipeline: named,
 * with context and audit, in as many batches. Both run in this process in short alternating blocks. It counts CPU time
 * and compares the cheapest blocks, because other load can only add time.
 */
export async function measureDatabaseCost(options: DatabaseCostOptions): Promise<DatabaseCostResult> {
  const served = new InProcessApi({ DATABASE_POOL_SIZE: String(CONCURRENCY), DATABASE_CONNECT_TIMEOUT_MS: '30000' });
  return served.run(async () => {
    const hand = new HandWrittenDatabase(
      new Pool({ connectionString: served.services.buildUrl('app'), max: CONCURRENCY, pipeline: true }),
      served.services.signer,
    );
    try {
      const [user = 0] = await served.createUsers(1);
      const database = served.get(Database);
      const ids = await createJobs(database, user, CONCURRENCY * 4);
      let turn = 0;
      const id = (): number => ids[turn++ % ids.length]!;
      return {
        read: await compare(
          user,
          options,
          () => database.find(Job, id()),
          () => hand.find(id()),
        ),
        create: await compare(
          user,
          options,
          () => create(database),
          () => hand.create(buildJobValues()),
        ),
        patch: await compare(
          user,
          options,
          () => patch(database, id()),
          () => hand.patch(id(), { title: buildTitle() }),
        ),
      };
    } finally {
      await hand.end();
    }
  });
}

/**
 * Describes the first unit that costs more than `atMost` times the work by hand; undefined without one. Of two
 * estimates the lower counts, because noise only raises them.
 */
export function findTooExpensive(result: DatabaseCostResult, atMost: number): string | undefined {
  const costs = Object.entries(result).map(
    ([what, { ratio, paired }]: [string, DatabaseCost]) => [what, Math.min(ratio, paired[0])] as const,
  );
  const expensive = costs.find(([, cost]) => cost > atMost);
  return expensive && `a ${expensive[0]} costs ${expensive[1]} times the work by hand: ${JSON.stringify(result)}`;
}

/** Returns the result. @throws Error with what is too expensive */
export function assertCostBelow(result: DatabaseCostResult, atMost: number): DatabaseCostResult {
  const dear = findTooExpensive(result, atMost);
  if (dear !== undefined) throw new Error(dear);
  return result;
}

async function compare(
  userId: number,
  { blocks, unitsPerBlock: unitsPerBlock }: DatabaseCostOptions,
  database: Work,
  byHand: Work,
): Promise<DatabaseCost> {
  const costs = { database: [] as number[], hand: [] as number[] };
  for (let block = -WARM_UP_BLOCKS; block < blocks; block++) {
    // Either side goes first every other time: garbage of one is often collected in the block of the other.
    const order = block % 2 === 0 ? (['database', 'hand'] as const) : (['hand', 'database'] as const);
    for (const side of order) {
      const cost = await measureCpu(userId, unitsPerBlock, side === 'database' ? database : byHand);
      if (block >= 0) costs[side].push(cost);
    }
  }
  const [databaseUs, handUs] = [Math.min(...costs.database), Math.min(...costs.hand)];
  const { median, lower, upper } = computeSpread(costs.database.map((cost, i) => cost / costs.hand[i]!))!;
  return {
    productUs: Math.round(databaseUs),
    handWrittenUs: Math.round(handUs),
    ratio: round(databaseUs / handUs),
    paired: [round(median), round(lower), round(upper)],
  };
}

type Work = () => Promise<unknown>;

/** Returns the CPU of one unit, in microseconds. */
async function measureCpu(userId: number, units: number, work: Work): Promise<number> {
  const before = process.cpuUsage();
  const lane = async (): Promise<void> => {
    for (let unit = 0; unit < units / CONCURRENCY; unit++) await runAsUser(userId, work);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / units;
}

function create(database: Database): Promise<Job> {
  return database.transaction((unit) => unit.repository(Job).insert(buildJobValues()));
}

function patch(database: Database, id: number): Promise<Job> {
  return database.change(Job, id, 'job.not_found', () => ({ title: buildTitle() }));
}

async function createJobs(database: Database, userId: number, count: number): Promise<number[]> {
  const jobs = await runAsUser(userId, () => Promise.all(Array.from({ length: count }, () => create(database))));
  return jobs.map(({ id }) => id);
}

function buildJobValues(): Partial<Job> {
  const content = toJobContent(buildJob() as unknown as Parameters<typeof toJobContent>[0]);
  return { ...content, sourceKey: buildSourceKey(content) };
}

let titles = 0;

function buildTitle(): string {
  return `Patched ${(titles += 1)}`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

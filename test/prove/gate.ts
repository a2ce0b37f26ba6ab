import { Pool } from 'pg';
import { contentOf } from '../../src/jobs/job-content';
import { Job } from '../../src/jobs/job.entity';
import { sourceKeyOf } from '../../src/jobs/source-key';
import { Database } from '../../src/platform/database/database';
import { newJob } from '../bench/operations';
import { spreadOf } from '../bench/statistics';
import { within } from '../support/within';
import { HandWrittenGate } from './hand-written-gate';
import { Served } from './served';

/** How much is measured. */
export interface GateOptions {
  /** Of each way, in turns. */
  readonly blocks: number;
  readonly unitsPerBlock: number;
}

/** CPU of this process for one unit of work, in microseconds, through the gate and by hand. */
export interface GateCost {
  readonly gateUs: number;
  readonly handUs: number;
  /** Of the least disturbed blocks. */
  readonly ratio: number;
  /** Of each block to its neighbour: the median, and where the middle half of them lies. */
  readonly paired: readonly [median: number, lower: number, upper: number];
}

/** What was found. */
export interface GateResult {
  readonly read: GateCost;
  readonly create: GateCost;
  readonly patch: GateCost;
}

/** Units under way at a time; as many connections on either side. */
const AT_A_TIME = 8;
const WARM_UP_BLOCKS = 6;

/**
 * What the data gate costs without HTTP, beside the same statements sent by hand over pg's own pipeline: named, with
 * context and audit, in as many flights. Both run in this process in short blocks that take turns, and CPU time is
 * counted, not the clock's; of each the least block is compared, since whatever else a machine does only adds.
 */
export async function proveGate(options: GateOptions): Promise<GateResult> {
  const served = new Served({ DATABASE_POOL_SIZE: String(AT_A_TIME), DATABASE_CONNECT_TIMEOUT_MS: '30000' });
  return served.during(async () => {
    const hand = new HandWrittenGate(
      new Pool({ connectionString: served.services.url('app'), max: AT_A_TIME, pipeline: true }),
    );
    try {
      const [user = 0] = await served.users(1);
      const database = served.get(Database);
      const ids = await jobsOf(database, user, AT_A_TIME * 4);
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
          () => hand.create(aJob()),
        ),
        patch: await compare(
          user,
          options,
          () => patch(database, id()),
          () => hand.patch(id(), { title: aTitle() }),
        ),
      };
    } finally {
      await hand.end();
    }
  });
}

/**
 * Says of the first unit that costs more than `atMost` times the work by hand how much it does, or undefined when none does;
 * of two estimates, which noise only raises, the lesser counts.
 */
export function tooDear(result: GateResult, atMost: number): string | undefined {
  const costs = Object.entries(result).map(
    ([what, { ratio, paired }]: [string, GateCost]) => [what, Math.min(ratio, paired[0])] as const,
  );
  const dear = costs.find(([, cost]) => cost > atMost);
  return dear && `a ${dear[0]} costs ${dear[1]} times the work by hand: ${JSON.stringify(result)}`;
}

/** Returns the result. @throws Error with what is too dear */
export function assertCheap(result: GateResult, atMost: number): GateResult {
  const dear = tooDear(result, atMost);
  if (dear !== undefined) throw new Error(dear);
  return result;
}

async function compare(
  userId: number,
  { blocks, unitsPerBlock }: GateOptions,
  gate: Work,
  byHand: Work,
): Promise<GateCost> {
  const costs = { gate: [] as number[], hand: [] as number[] };
  for (let block = -WARM_UP_BLOCKS; block < blocks; block++) {
    // Each begins every other time: garbage of one is often collected in the block of the next.
    const order = block % 2 === 0 ? (['gate', 'hand'] as const) : (['hand', 'gate'] as const);
    for (const side of order) {
      const cost = await cpuOf(userId, unitsPerBlock, side === 'gate' ? gate : byHand);
      if (block >= 0) costs[side].push(cost);
    }
  }
  const [gateUs, handUs] = [Math.min(...costs.gate), Math.min(...costs.hand)];
  const { median, lower, upper } = spreadOf(costs.gate.map((cost, i) => cost / costs.hand[i]!))!;
  return {
    gateUs: Math.round(gateUs),
    handUs: Math.round(handUs),
    ratio: rounded(gateUs / handUs),
    paired: [rounded(median), rounded(lower), rounded(upper)],
  };
}

type Work = () => Promise<unknown>;

/** CPU of one unit, in microseconds, of so many. */
async function cpuOf(userId: number, units: number, work: Work): Promise<number> {
  const before = process.cpuUsage();
  const lane = async (): Promise<void> => {
    for (let unit = 0; unit < units / AT_A_TIME; unit++) await within(userId, work);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, lane));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / units;
}

function create(database: Database): Promise<Job> {
  return database.unit((unit) => unit.of(Job).insert(aJob()));
}

function patch(database: Database, id: number): Promise<Job> {
  return database.change(Job, id, 'job.not_found', () => ({ title: aTitle() }));
}

async function jobsOf(database: Database, userId: number, count: number): Promise<number[]> {
  const jobs = await within(userId, () => Promise.all(Array.from({ length: count }, () => create(database))));
  return jobs.map(({ id }) => id);
}

function aJob(): Partial<Job> {
  const content = contentOf(newJob() as unknown as Parameters<typeof contentOf>[0]);
  return { ...content, sourceKey: sourceKeyOf(content) };
}

let titles = 0;

function aTitle(): string {
  return `Patched ${(titles += 1)}`;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

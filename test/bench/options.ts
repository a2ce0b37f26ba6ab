import { parseArgs } from 'node:util';
import type { DataSize } from './data-set';
import type { ExtrasOptions } from './extras';
import { OPERATIONS, type Operation } from './operations';
import type { RoundsOptions } from './rounds';

/** The sizes of a run. */
export interface Plan {
  readonly size: DataSize;
  /** Results are compared at the first level. */
  readonly levels: readonly RoundsOptions[];
  readonly extras: Omit<ExtrasOptions, keyof DataSize>;
}

/** The options of a command line. */
export interface BenchOptions {
  readonly plan: Plan;
  readonly operations: readonly Operation[];
  readonly hasExtras: boolean;
  /** A partial run, whose result is not stored. */
  readonly isPart: boolean;
  readonly isQuick: boolean;
  readonly isProfiled: boolean;
  /** A file with an earlier result to compare with. */
  readonly against: string | undefined;
  /** A file with a result to fill the tables from, instead of measuring. */
  readonly table: string | undefined;
  /** A file with a result of another Node.js, whose ratios the tables show beside. */
  readonly beside: string | undefined;
}

/** Takes about 50 minutes on two cores. */
const FULL: Plan = {
  size: { users: 2_000, jobs: 400_000, largeTenantJobs: 400_000 },
  levels: [
    { connections: 16, rounds: 7, seconds: 4, warmUpRequests: 10_000 },
    { connections: 1, rounds: 5, seconds: 2, warmUpRequests: 500 },
    { connections: 64, rounds: 5, seconds: 2, warmUpRequests: 500 },
  ],
  extras: { rounds: 7, seconds: 3, importRows: 10_000, streamRows: 100_000, pipelineBlocks: 20, hasTenfold: true },
};

/** Takes less than four minutes on two slow cores; its results are a hint. */
const QUICK: Plan = {
  size: { users: 200, jobs: 20_000, largeTenantJobs: 40_000 },
  levels: [{ connections: 16, rounds: 3, seconds: 0.5, warmUpRequests: 1_000 }],
  extras: { rounds: 2, seconds: 0.6, importRows: 10_000, streamRows: 20_000, pipelineBlocks: 4, hasTenfold: false },
};

/**
 * Parses `[--quick] [--against <result>] [--only a,b] [--extras] [--rounds n] [--seconds n] [--profile] [--table
 * <result> [--beside <result>]]`.
 * @throws Error that names the invalid option
 */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      against: { type: 'string' },
      only: { type: 'string' },
      extras: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      profile: { type: 'boolean', default: false },
      table: { type: 'string' },
      beside: { type: 'string' },
    },
  });
  const { quick: isQuick, only, rounds, seconds, profile: isProfiled, against, table, beside } = values;
  if (beside !== undefined && table === undefined) throw new Error('--beside: name the result of the table by --table');
  const isPart = only !== undefined || values.extras;
  return {
    plan: buildPlan(isQuick ? QUICK : FULL, {
      ...(rounds !== undefined && { rounds: parseRounds(rounds) }),
      ...(seconds !== undefined && { seconds: parseSeconds(seconds) }),
    }),
    operations: isPart ? parseOperations(only) : OPERATIONS,
    hasExtras: !isPart || values.extras,
    isPart,
    isQuick,
    isProfiled,
    against,
    table,
    beside,
  };
}

function buildPlan({ size, levels, extras }: Plan, chosen: Partial<Pick<RoundsOptions, 'rounds' | 'seconds'>>): Plan {
  return { size, levels: levels.map((level) => ({ ...level, ...chosen })), extras: { ...extras, ...chosen } };
}

function parseOperations(only: string | undefined): Operation[] {
  return (only?.split(',') ?? []).map((letter) => {
    const operation = OPERATIONS.find((one) => one === letter);
    if (!operation) throw new Error(`--only: there is no operation '${letter}'; there are ${OPERATIONS.join(', ')}`);
    return operation;
  });
}

function parseRounds(text: string): number {
  const rounds = Number(text);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds: '${text}' is not a whole number from 1`);
  return rounds;
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds <= 0) throw new Error(`--seconds: '${text}' is not a number above 0`);
  return seconds;
}

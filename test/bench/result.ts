import { cpus, totalmem } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import type { Extras } from './extras';
import { OPERATIONS, type Operation } from './operations';
import type { Plan } from './options';
import { CONTENDERS, type Contender, type Measurement, type Round } from './rounds';
import { computeSpread, type Spread } from './statistics';

/** A result of `npm run bench`, as stored in results/. Ratios compare neighbours of one round; > 1 is faster. */
export interface BenchResult {
  readonly machine: Machine;
  readonly size: object;
  /** The number and length of rounds for each level and the extras; absent in older results. */
  readonly plan?: Omit<Plan, 'size'>;
  /** Medians at 16 connections. */
  readonly operations: Partial<Record<Operation, OperationResult>>;
  readonly byConcurrency: Readonly<Record<string, Partial<Record<Operation, OperationResult>>>>;
  readonly extras: Extras | undefined;
}

/** The medians of one operation; `--against` and the tables in the READMEs use the ratios. */
export interface OperationResult {
  readonly vsFastify: number;
  readonly vsPgbench: number | null;
  readonly p99Ratio: number;
  /** CPU of the product's process for a request. */
  readonly cpuUs: number;
  readonly vsFastifyPipelined: number | null;
  /** With the cache on; null without one. */
  readonly cachedVsFastify: number | null;
  /** CPU of a request in addition to that of the pipelined baseline. */
  readonly cpuOverPipelinedUs: number | null;
  readonly spread: Partial<
    Record<'vsFastify' | 'vsPgbench' | 'vsFastifyPipelined' | 'cachedVsFastify' | 'p99Ratio', Spread>
  >;
  readonly contenders: Partial<Record<Contender, Partial<Measurement>>>;
}

/** The environment of a run. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly node: string;
  /** `PostgreSQL 15.18`. */
  readonly postgres: string;
  readonly platform: string;
}

/** The machine of the benchmark, with its PostgreSQL. */
export function describeMachine(postgres: string): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    postgres,
    platform: `${process.platform} ${process.arch}`,
  };
}

/** Returns the medians over the rounds of one operation. */
export function summarize(rounds: readonly Round[]): OperationResult {
  const ratios = (one: Contender, other: Contender, of: 'rps' | 'p99Ms' = 'rps'): Spread | undefined =>
    computeSpread(rounds.flatMap((round) => computeRatio(round[one]?.[of], round[other]?.[of])));
  const spread = {
    vsFastify: ratios('product', 'fastify'),
    vsPgbench: ratios('product', 'pgbench'),
    vsFastifyPipelined: ratios('product', 'fastifyPipelined'),
    cachedVsFastify: ratios('productCached', 'fastify'),
    p99Ratio: ratios('product', 'fastify', 'p99Ms'),
  };
  const contenders = Object.fromEntries(
    CONTENDERS.map((contender) => [contender, computeMedians(rounds, contender)]),
  ) as Record<Contender, Partial<Measurement>>;
  const cpuUs = contenders.product.serverCpuUs ?? NaN;
  return {
    vsFastify: round(spread.vsFastify?.median),
    vsPgbench: roundOrNull(spread.vsPgbench?.median),
    p99Ratio: round(spread.p99Ratio?.median),
    cpuUs: Math.round(cpuUs),
    vsFastifyPipelined: roundOrNull(spread.vsFastifyPipelined?.median),
    cachedVsFastify: roundOrNull(spread.cachedVsFastify?.median),
    cpuOverPipelinedUs: roundOrNull(cpuUs - (contenders.fastifyPipelined.serverCpuUs ?? NaN), 1),
    spread,
    contenders,
  };
}

/** A ratio below this share of the earlier one is a drop. */
const TOLERANCE = 0.85;

/**
 * Returns the ratios of these operations that fell by more than 15 % against an earlier result, or that are missing,
 * one line each. Times are not compared, and results of another size must not be.
 */
export function findDrops(
  earlier: BenchResult,
  now: BenchResult,
  operations: readonly Operation[] = OPERATIONS,
): string[] {
  return operations.flatMap((operation) => {
    const [before, after] = [earlier.operations[operation], now.operations[operation]];
    return (['vsFastify', 'vsPgbench', 'cachedVsFastify'] as const).flatMap((ratio) => {
      const [old, current] = [before?.[ratio], after?.[ratio]];
      if (!old || (current && current >= old * TOLERANCE)) return [];
      if (!current) return [`${operation} ${ratio}: none instead of ${old}`];
      return [`${operation} ${ratio}: ${current} instead of ${old} (${Math.round((current / old - 1) * 100)} %)`];
    });
  });
}

/** @throws Error when an earlier result is of data of another size */
export function assertSameSize(earlier: BenchResult, size: object): void {
  if (isDeepStrictEqual(earlier.size, size)) return;
  const [there, here] = [JSON.stringify(earlier.size), JSON.stringify(size)];
  throw new Error(
    `the earlier result is of another size: ${there} there, ${here} here; ratios of the two are not compared`,
  );
}

function computeRatio(mine: number | undefined, other: number | undefined): number[] {
  return mine !== undefined && other !== undefined && other > 0 ? [mine / other] : [];
}

function computeMedians(rounds: readonly Round[], contender: Contender): Partial<Measurement> {
  const of = (key: keyof Measurement): number | undefined =>
    round(computeSpread(rounds.flatMap((round) => round[contender]?.[key] ?? []))?.median, 100);
  return Object.fromEntries(
    (['rps', 'p50Ms', 'p99Ms', 'serverCpuUs', 'postgresCpuUs', 'redisCpuUs', 'clientCpuUs'] as const).map((key) => [
      key,
      of(key),
    ]),
  );
}

/** JSON has no NaN. */
function roundOrNull(value: number | undefined, places = 100): number | null {
  const result = round(value, places);
  return Number.isNaN(result) ? null : result;
}

function round(value: number | undefined, places = 100): number {
  return value === undefined ? NaN : Math.round(value * places) / places;
}

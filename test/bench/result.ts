import { cpus, totalmem } from 'node:os';
import type { Extras } from './extras';
import type { Operation } from './operations';
import type { Contender, Measurement, Round } from './rounds';
import { spreadOf, type Spread } from './statistics';

/** What `npm run bench` found, as it is kept in results/. Ratios compare neighbours of one round; > 1 is faster than. */
export interface BenchResult {
  readonly machine: Machine;
  readonly size: object;
  /** At concurrency 16, medians. */
  readonly operations: Partial<Record<Operation, OperationResult>>;
  readonly byConcurrency: Readonly<Record<string, Partial<Record<Operation, OperationResult>>>>;
  readonly extras: Extras | undefined;
}

/** The medians of one operation; the first four are what `--against` and the table in the README go by. */
export interface OperationResult {
  readonly vsFastify: number;
  readonly vsPgbench: number | null;
  readonly p99Ratio: number;
  /** Of the product's process, a request. */
  readonly cpuUs: number;
  readonly vsFastifyPipelined: number;
  /** CPU a request beyond that of the pipelined hand-written server. */
  readonly cpuOverPipelinedUs: number;
  readonly spread: { readonly vsFastify?: Spread; readonly vsPgbench?: Spread; readonly p99Ratio?: Spread };
  readonly contenders: Partial<Record<Contender, Partial<Measurement>>>;
}

/** Where figures come from. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly node: string;
  readonly platform: string;
}

/** The machine the bench runs on. */
export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
  };
}

/** The medians over the rounds of one operation. */
export function summarise(rounds: readonly Round[]): OperationResult {
  const ratios = (other: Contender, of: keyof Measurement = 'rps'): Spread | undefined =>
    spreadOf(rounds.flatMap((round) => ratioOf(round.product?.[of], round[other]?.[of])));
  const vsFastify = ratios('fastify');
  const vsPgbench = ratios('pgbench');
  const p99Ratio = ratios('fastify', 'p99Ms');
  const contenders = Object.fromEntries(
    (['pgbench', 'fastify', 'fastifyPipelined', 'product'] as const).map((contender) => [contender, medians(rounds, contender)]),
  ) as Record<Contender, Partial<Measurement>>;
  const cpuUs = contenders.product.serverCpuUs ?? NaN;
  return {
    vsFastify: rounded(vsFastify?.median),
    vsPgbench: vsPgbench ? rounded(vsPgbench.median) : null,
    p99Ratio: rounded(p99Ratio?.median),
    cpuUs: Math.round(cpuUs),
    vsFastifyPipelined: rounded(ratios('fastifyPipelined')?.median),
    cpuOverPipelinedUs: Math.round(cpuUs - (contenders.fastifyPipelined.serverCpuUs ?? NaN)),
    spread: { vsFastify, vsPgbench, p99Ratio },
    contenders,
  };
}

/** A ratio that fell below this share of the earlier one is a drop. */
const TOLERANCE = 0.85;

/** Ratios that fell by more than 15 % against an earlier result, one line each; times are never compared. */
export function dropsAgainst(earlier: BenchResult, now: BenchResult): string[] {
  return Object.entries(earlier.operations).flatMap(([operation, before]) => {
    const after = now.operations[operation as Operation];
    return (['vsFastify', 'vsPgbench'] as const).flatMap((ratio) => {
      const [old, current] = [before[ratio], after?.[ratio]];
      if (!old || !current || current >= old * TOLERANCE) return [];
      return [`${operation} ${ratio}: ${current} instead of ${old} (${Math.round((current / old - 1) * 100)} %)`];
    });
  });
}

function ratioOf(mine: number | undefined, other: number | undefined): number[] {
  return mine !== undefined && other !== undefined && other > 0 ? [mine / other] : [];
}

function medians(rounds: readonly Round[], contender: Contender): Partial<Measurement> {
  const of = (key: keyof Measurement): number | undefined =>
    rounded(spreadOf(rounds.flatMap((round) => round[contender]?.[key] ?? []))?.median, 100);
  return Object.fromEntries(
    (['rps', 'p50Ms', 'p99Ms', 'serverCpuUs', 'postgresCpuUs', 'clientCpuUs'] as const).map((key) => [key, of(key)]),
  );
}

function rounded(value: number | undefined, places = 100): number {
  return value === undefined ? NaN : Math.round(value * places) / places;
}

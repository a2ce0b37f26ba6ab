import { BenchServices } from '../../bench/services';
import { ApiProcess } from '../api-process';
import { compareAcknowledged, type Comparison } from './acknowledged-writes';
import * as faults from './fault-injections';
import { FullDisk } from './full-disk';
import { WriteLoad, type Attempt } from './write-load';
import { pause } from '../../support/wait-for';

/** How long the faults last. */
export interface FaultsOptions {
  readonly writers: number;
  /** The faults and their lengths; undefined lasts until every client and the probe were refused. */
  readonly holdMs: Readonly<Record<string, number | undefined>>;
}

/** What clients observed of one fault. */
export interface FaultReport {
  readonly fault: string;
  /** Responses to writes and sign-ins running or sent during the fault, by status; 0 is none. */
  readonly answers: Readonly<Record<string, number>>;
  /** Responses that were neither 2xx nor a 503 with Retry-After. */
  readonly wrong: number;
  readonly slowestMs: number;
  /** Clients without any response during the fault. */
  readonly unanswered: number;
  /** Probes answered 503 during the fault, and those answered 200 a second or more after its beginning. */
  readonly notReady: number;
  readonly stillReady: number;
  /** Time from the end to the first success of what the fault had stopped; Infinity is never. */
  readonly recoveryMs: number;
}

/** The result. */
export interface FaultsResult {
  readonly faults: readonly FaultReport[];
  readonly skipped: readonly string[];
  readonly acknowledged: number;
  readonly comparison: Comparison;
}

/** The wait for a connection, the statement timeout, and the two seconds that the client adds. */
const SETTINGS = {
  DATABASE_POOL_SIZE: '4',
  DATABASE_CONNECT_TIMEOUT_MS: '1000',
  DATABASE_STATEMENT_TIMEOUT_MS: '2000',
};
const DEADLINE_MS = 8_000;

/** The maximum age of the readiness result. */
const READINESS_MAX_AGE_MS = 1_000;
const RECOVERY_LIMIT_MS = 2_000;

/** The time limit for a fault without effect or without end. */
const TIMEOUT_MS = 300_000;

/**
 * Injects faults of PostgreSQL, Redis and the disk during writes, and compares at the end: every acknowledged write
 * exists with exactly one audit row for each version. Reports the responses to clients and to the probe meanwhile.
 */
export async function stressFaults({ writers, holdMs }: FaultsOptions): Promise<FaultsResult> {
  const disk = 'disk full' in holdMs ? FullDisk.mount() : undefined;
  const services = new BenchServices(disk?.postgresFolder);
  try {
    const api = await ApiProcess.start({ settings: SETTINGS, services });
    const list = listFaults(services, disk, api.redisUrl).filter(({ name }) => name in holdMs);
    const skipped = Object.keys(holdMs).filter((name) => !list.some((fault) => fault.name === name));
    return { skipped, ...(await injectAll(api, list, { writers, holdMs })) };
  } finally {
    disk?.unmount();
  }
}

async function injectAll(
  api: ApiProcess,
  list: readonly faults.InjectedFault[],
  { writers, holdMs }: FaultsOptions,
): Promise<Omit<FaultsResult, 'skipped'>> {
  const load = new WriteLoad(api);
  try {
    await load.start(writers);
    const reports: FaultReport[] = [];
    for (const fault of list) {
      await settle(load.next(({ kind, status }) => kind === 'probe' && status === 200));
      reports.push(await injectFault(load, fault, { writers, holdMs: holdMs[fault.name] }));
    }
    await load.stop();
    const comparison = await compareAcknowledged(api, load.acknowledged);
    return { faults: reports, acknowledged: load.acknowledged.size, comparison };
  } finally {
    await load.stop();
    await api.stop();
  }
}

/** Prints a table and returns the result. @throws Error with each violated guarantee */
export function assertRecovered(result: FaultsResult): FaultsResult {
  console.table(result.faults.map(({ answers, ...report }) => ({ ...report, answers: JSON.stringify(answers) })));
  for (const name of result.skipped)
    console.log(`skipped: ${name} (a tmpfs of its own can be mounted by root on Linux only)`);
  const broken = result.faults.flatMap((report) =>
    listViolations(report).map((promise) => `${report.fault}: ${promise}`),
  );
  const lost = Object.entries(result.comparison)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name}`);
  if (broken.length + lost.length > 0) throw new Error([...broken, ...lost, JSON.stringify(result)].join('\n'));
  return result;
}

function listViolations({ wrong, slowestMs, unanswered, notReady, stillReady, recoveryMs }: FaultReport): string[] {
  return [
    ...(wrong > 0 ? [`${wrong} requests were answered neither 2xx nor 503 with Retry-After`] : []),
    ...(slowestMs > DEADLINE_MS ? [`an answer took ${slowestMs} ms`] : []),
    ...(unanswered > 0 ? [`${unanswered} clients were answered only after it`] : []),
    ...(notReady === 0 || stillReady > 0 ? [`${notReady} probes said not ready, ${stillReady} ready`] : []),
    ...(recoveryMs > RECOVERY_LIMIT_MS ? [`works again after ${recoveryMs} ms`] : []),
  ];
}

function listFaults(services: BenchServices, disk: FullDisk | undefined, redisUrl: string): faults.InjectedFault[] {
  return [
    faults.freezePostgres(services),
    faults.freezeRedis(services),
    faults.exhaustPool(services),
    ...(disk ? [faults.fillDisk(disk)] : []),
    faults.fillRedis(redisUrl),
    faults.makeRedisReadOnly(redisUrl),
    faults.killPostgres(services),
  ];
}

async function injectFault(
  load: WriteLoad,
  fault: faults.InjectedFault,
  { writers, holdMs }: { writers: number; holdMs: number | undefined },
): Promise<FaultReport> {
  const isHit = ({ kind, status }: Attempt): boolean => kind === fault.affects && !isSuccess(status);
  const isRefused = (kind: Attempt['kind'], client: number) => (attempt: Attempt) =>
    attempt.kind === kind && attempt.client === client && !isSuccess(attempt.status);
  const clients = fault.affects === 'write' ? Array.from({ length: writers }, (_, client) => client) : [];
  const noticed = Promise.all([
    ...clients.map((client) => load.next(isRefused('write', client))),
    load.next(isRefused('sign-in', 0)),
    load.next(isRefused('probe', 0)),
  ]);
  const hit = load.next(isHit);
  await fault.begin();
  // Free space inside the files of a full disk is used up first.
  if (fault.isGradual) await settle(hit);
  const begunAt = performance.now();
  await (holdMs === undefined ? settle(noticed) : pause(holdMs, 'the fault lasts this long'));
  const success = (kind: Attempt['kind']) => load.next((attempt) => attempt.kind === kind && isSuccess(attempt.status));
  await fault.end();
  const endedAt = performance.now();
  const works = await settle(Promise.all([success('write'), success('sign-in')]));
  const recoveryMs = works ? Math.round(Math.max(...works.map((attempt) => attempt.endedAt)) - endedAt) : Infinity;
  return {
    fault: fault.name,
    ...summarizeAttempts(load.attempts, begunAt, endedAt),
    unanswered: countUnanswered(load.attempts, begunAt, endedAt),
    recoveryMs,
  };
}

function summarizeAttempts(
  attempts: readonly Attempt[],
  begunAt: number,
  endedAt: number,
): Omit<FaultReport, 'fault' | 'unanswered' | 'recoveryMs'> {
  const during = attempts.filter((attempt) => attempt.endedAt > begunAt && attempt.begunAt < endedAt);
  const requests = during.filter(({ kind }) => kind !== 'probe');
  const answers: Record<string, number> = {};
  for (const { status } of requests) answers[status] = (answers[status] ?? 0) + 1;
  const probes = during.filter(({ kind }) => kind === 'probe');
  const late = probes.filter((probe) => probe.begunAt >= begunAt + READINESS_MAX_AGE_MS && probe.endedAt <= endedAt);
  return {
    answers,
    wrong: requests.filter(({ status, hasRetryAfter }) => !isSuccess(status) && !(status === 503 && hasRetryAfter))
      .length,
    slowestMs: Math.round(Math.max(0, ...requests.map((attempt) => attempt.endedAt - attempt.begunAt))),
    notReady: probes.filter(({ status }) => status === 503).length,
    stillReady: late.filter(({ status }) => status === 200).length,
  };
}

function countUnanswered(attempts: readonly Attempt[], begunAt: number, endedAt: number): number {
  const nameOf = ({ kind, client }: Attempt): string => `${kind} ${client}`;
  const requests = attempts.filter(({ kind }) => kind !== 'probe');
  const all = new Set(requests.map(nameOf));
  const answered = new Set(
    requests.filter((attempt) => attempt.endedAt > begunAt && attempt.endedAt <= endedAt).map(nameOf),
  );
  return all.size - answered.size;
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** Waits up to this time; undefined when it takes longer. */
async function settle<T>(work: Promise<T>): Promise<T | undefined> {
  const timeout = new AbortController();
  const late = pause(TIMEOUT_MS, 'ends the wait for a broken server', { signal: timeout.signal }).then(
    () => undefined,
    () => undefined,
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    timeout.abort();
  }
}

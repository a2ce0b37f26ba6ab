import { Injectable } from '@nestjs/common';
import { Database } from '../database/database';
import { SystemDatabase } from '../database/system-database';
import { DrainingService } from '../http/edge/draining.service';
import { RedisClients } from '../redis/redis-clients';

/** The code, or the beginning of the message, of known errors, and the reason to show. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^53100\b/, 'disk full'],
  [/^53/, 'out of resources'],
  [/^57P03\b|^LOADING /, 'starting'],
  [/^GV001\b/, 'clocks differ'],
  [/^25006\b|^READONLY /, 'read-only'],
  [/^timeout exceeded when trying to connect/, 'no free connection'],
  [/^OOM /, 'out of memory'],
  [/^MISCONF /, 'cannot write to disk'],
  [/^NOREPLICAS /, 'too few replicas'],
  [/^Command timed out/, 'no answer in time'],
];

/**
 * Returns a short reason for an error. The texts of PostgreSQL and Redis are not shown, since they may contain names.
 */
export function shortReason(error: unknown): string {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  return REASONS.find(([pattern]) => pattern.test(`${code}`) || pattern.test(message))?.[1] ?? 'not reachable';
}

/** The result of one check. A warning does not make the process unready. */
export interface CheckResult {
  readonly status: 'ok' | 'warning' | 'failed';
  readonly detail?: string;
}

/** A check of one dependency. A thrown error counts as failed. */
export type Check = () => Promise<CheckResult>;

/** The readiness of the process, with the result of each check. */
export interface Readiness {
  readonly status: 'ready' | 'not_ready';
  readonly checks: Readonly<Record<string, CheckResult>>;
}

/** Tables without partitions for the next 60 days. No data is lost, since each has a DEFAULT partition. */
const FIND_UNCOVERED = `
  SELECT table_name AS name FROM app.partition_coverage()
  WHERE covered_until < now() + interval '60 days' ORDER BY name`;

/** The Redis key that each check writes. It expires. */
const PROBE_KEY = 'health:beat';
const PROBE_SECONDS = 10;

/**
 * Checks whether this process can serve requests, by its own checks and those of other modules. Checks use the clients
 * of requests: PostgreSQL as gigvault_app through the pool of the app, Redis by a write through the client of commands.
 */
@Injectable()
export class HealthService {
  /** Time limit of a check. */
  checkTimeoutMs = 1_000;
  /** Results are reused for this time, so that frequent probes cost little; shorter in tests. */
  maxAgeMs = 1_000;
  private readonly checks = new Map<string, Check>();
  private last: { readonly at: number; readonly readiness: Promise<Readiness> } | undefined;

  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
    private readonly redis: RedisClients,
    private readonly draining: DrainingService,
  ) {
    this.register('postgres', () => this.checkPostgres());
    this.register('redis', () => this.checkRedis());
    this.register('partitions', () => this.checkPartitions());
  }

  /** Adds a check to readiness. It has `checkTimeoutMs` to finish. */
  register(name: string, check: Check): void {
    this.checks.set(name, check);
  }

  /** Returns the readiness, at most one second old. A process that stops is not ready. */
  async ready(): Promise<Readiness> {
    if (this.draining.isDraining) {
      return { status: 'not_ready', checks: { process: { status: 'failed', detail: 'stopping' } } };
    }
    if (!this.last || Date.now() - this.last.at >= this.maxAgeMs) this.last = { at: Date.now(), readiness: this.run() };
    return this.last.readiness;
  }

  private async run(): Promise<Readiness> {
    const results = await Promise.all(
      [...this.checks].map(async ([name, check]): Promise<[string, CheckResult]> => [
        name,
        await runCheck(check, this.checkTimeoutMs),
      ]),
    );
    const failed = results.some(([, { status }]) => status === 'failed');
    return { status: failed ? 'not_ready' : 'ready', checks: Object.fromEntries(results) };
  }

  private async checkPostgres(): Promise<CheckResult> {
    const { isInRecovery, isReadOnly, isContextAccepted } = await this.database.checkWritable();
    if (isInRecovery) return { status: 'failed', detail: 'in recovery' };
    if (isReadOnly) return { status: 'failed', detail: 'read-only' };
    return isContextAccepted ? { status: 'ok' } : { status: 'failed', detail: 'context key not known' };
  }

  private async checkRedis(): Promise<CheckResult> {
    await this.redis.commands.set(PROBE_KEY, Date.now(), 'EX', PROBE_SECONDS);
    return { status: 'ok' };
  }

  private async checkPartitions(): Promise<CheckResult> {
    const uncovered = await this.system
      .asMonitor((unit) => unit.query<{ name: string }>(FIND_UNCOVERED))
      .catch(() => null);
    if (uncovered === null) return { status: 'warning', detail: 'not known' };
    if (uncovered.length === 0) return { status: 'ok' };
    return { status: 'warning', detail: `no partition ahead: ${uncovered.map(({ name }) => name).join(', ')}` };
  }
}

/** Runs a check within its time limit. Errors become a short reason. */
async function runCheck(check: Check, timeoutMs: number): Promise<CheckResult> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<CheckResult>((resolve) => {
    timer = setTimeout(() => resolve({ status: 'failed', detail: 'no answer in time' }), timeoutMs);
  });
  try {
    return await Promise.race([check(), timeout]);
  } catch (error) {
    return { status: 'failed', detail: shortReason(error) };
  } finally {
    clearTimeout(timer);
  }
}

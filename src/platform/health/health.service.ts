import { Injectable } from '@nestjs/common';
import { Database } from '../database/database';
import { SystemDatabase } from '../database/system-database';
import { DrainingService } from '../http/edge/draining.service';
import { RedisClients } from '../redis/redis-clients';

/** What an error says at its beginning, or its code, and the words for it. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^53100\b/, 'disk full'],
  [/^53/, 'out of resources'],
  [/^57P03\b|^LOADING /, 'starting'],
  [/^25006\b|^READONLY /, 'read-only'],
  [/^timeout exceeded when trying to connect/, 'no free connection'],
  [/^OOM /, 'out of memory'],
  [/^MISCONF /, 'cannot write to disk'],
  [/^NOREPLICAS /, 'too few replicas'],
  [/^Command timed out/, 'no answer in time'],
];

/** Returns why a part failed in a few words: never PostgreSQL's or Redis's own text, which may hold names. */
export function shortReason(error: unknown): string {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  return REASONS.find(([pattern]) => pattern.test(`${code}`) || pattern.test(message))?.[1] ?? 'not reachable';
}

/** The state of one part of the service; a warning does not take it out of service. */
export interface CheckResult {
  readonly status: 'ok' | 'warning' | 'failed';
  readonly detail?: string;
}

/** Finds out about one part; an error it throws counts as failed. */
export type Check = () => Promise<CheckResult>;

/** The readiness of the process and of all it needs. */
export interface Readiness {
  readonly status: 'ready' | 'not_ready';
  readonly checks: Readonly<Record<string, CheckResult>>;
}

/** A part that does not answer in this time is as good as failed. */
const CHECK_TIMEOUT_MS = 1_000;

/** Probes may come at any rate; the parts are asked once a second. */
const FRESH_MS = 1_000;

/** A missing partition is not lost data (there is a DEFAULT one), but work for an admin. */
const FIND_UNCOVERED = `
  SELECT table_name AS name FROM app.partition_coverage() WHERE covered_until < now() + interval '60 days' ORDER BY name`;

/** Written by each probe; it expires, so a process that is gone leaves nothing behind. */
const PROBE_KEY = 'health:beat';
const PROBE_SECONDS = 10;

/**
 * Finds out whether this process can serve: its own parts, and those that other modules add. Each part is asked the way
 * requests go: PostgreSQL as gigvault_app through the app's own pool, Redis by a write through the commands' client.
 */
@Injectable()
export class HealthService {
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

  /** Adds a part to readiness; each has one second to answer. */
  register(name: string, check: Check): void {
    this.checks.set(name, check);
  }

  /** Returns the readiness of now, at most a second old; a process on its way out is never ready. */
  async ready(): Promise<Readiness> {
    if (this.draining.isDraining) {
      return { status: 'not_ready', checks: { process: { status: 'failed', detail: 'stopping' } } };
    }
    if (!this.last || Date.now() - this.last.at >= FRESH_MS) this.last = { at: Date.now(), readiness: this.run() };
    return this.last.readiness;
  }

  private async run(): Promise<Readiness> {
    const results = await Promise.all(
      [...this.checks].map(async ([name, check]): Promise<[string, CheckResult]> => [name, await runCheck(check)]),
    );
    const failed = results.some(([, { status }]) => status === 'failed');
    return { status: failed ? 'not_ready' : 'ready', checks: Object.fromEntries(results) };
  }

  private async checkPostgres(): Promise<CheckResult> {
    const { isInRecovery, isReadOnly } = await this.database.checkWritable();
    if (isInRecovery) return { status: 'failed', detail: 'in recovery' };
    return isReadOnly ? { status: 'failed', detail: 'read-only' } : { status: 'ok' };
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

/** A probe is told a few words, never an error's own text. */
async function runCheck(check: Check): Promise<CheckResult> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<CheckResult>((resolve) => {
    timer = setTimeout(() => resolve({ status: 'failed', detail: 'no answer in time' }), CHECK_TIMEOUT_MS);
  });
  try {
    return await Promise.race([check(), timeout]);
  } catch (error) {
    return { status: 'failed', detail: shortReason(error) };
  } finally {
    clearTimeout(timer);
  }
}

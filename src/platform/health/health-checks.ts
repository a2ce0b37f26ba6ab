import { Injectable } from '@nestjs/common';
import { SystemDatabase } from '../database/system-database';
import { Draining } from '../http/draining';
import { RedisClients } from '../redis/redis-clients';

/** How one part of the service is; a warning does not take it out of service. */
export interface CheckResult {
  readonly status: 'ok' | 'warning' | 'failed';
  readonly detail?: string;
}

/** Finds out about one part; whatever it throws counts as failed. */
export type Check = () => Promise<CheckResult>;

/** The readiness of the process and of all it needs. */
export interface Readiness {
  readonly status: 'ready' | 'not_ready';
  readonly checks: Readonly<Record<string, CheckResult>>;
}

/** A part that does not answer in this time is as good as failed. */
const CHECK_TIMEOUT_MS = 1_000;

/** Probes may come as often as they like; the parts are asked once a second. */
const FRESH_MS = 1_000;

/** A missing partition is not lost data (there is a DEFAULT one), but work for an admin. */
const UNCOVERED = `
  SELECT table_name AS name FROM app.partition_coverage() WHERE covered_until < now() + interval '60 days' ORDER BY name`;

/** Knows whether this process can serve: its own parts, and those that other modules add. */
@Injectable()
export class HealthChecks {
  private readonly checks = new Map<string, Check>();
  private last: { readonly at: number; readonly readiness: Promise<Readiness> } | undefined;

  constructor(
    private readonly database: SystemDatabase,
    private readonly redis: RedisClients,
    private readonly draining: Draining,
  ) {
    this.add('postgres', () => this.checkPostgres());
    this.add('redis', () => this.checkRedis());
    this.add('partitions', () => this.checkPartitions());
  }

  /** Adds a part to readiness; each has one second to answer. */
  add(name: string, check: Check): void {
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
      [...this.checks].map(async ([name, check]): Promise<[string, CheckResult]> => [name, await within(check)]),
    );
    const failed = results.some(([, { status }]) => status === 'failed');
    return { status: failed ? 'not_ready' : 'ready', checks: Object.fromEntries(results) };
  }

  private async checkPostgres(): Promise<CheckResult> {
    await this.database.asMonitor((unit) => unit.query('SELECT 1'));
    return { status: 'ok' };
  }

  private async checkRedis(): Promise<CheckResult> {
    await this.redis.commands.ping();
    return { status: 'ok' };
  }

  private async checkPartitions(): Promise<CheckResult> {
    const uncovered = await this.database.asMonitor((unit) => unit.query<{ name: string }>(UNCOVERED));
    if (uncovered.length === 0) return { status: 'ok' };
    return { status: 'warning', detail: `no partition ahead: ${uncovered.map(({ name }) => name).join(', ')}` };
  }
}

/** Why a part failed is for the log and the admin, not for whoever asks. */
async function within(check: Check): Promise<CheckResult> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<CheckResult>((resolve) => {
    timer = setTimeout(() => resolve({ status: 'failed', detail: 'no answer in time' }), CHECK_TIMEOUT_MS);
  });
  try {
    return await Promise.race([check(), timeout]);
  } catch {
    return { status: 'failed', detail: 'not reachable' };
  } finally {
    clearTimeout(timer);
  }
}

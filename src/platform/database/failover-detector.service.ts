import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { SystemDatabase } from './system-database';

/** Interval of asking PostgreSQL, so that what is remembered is at most about a second out of date. */
const POLL_INTERVAL_MS = 1_000;

/** The number of the timeline: 1 for a new cluster, one more after each promotion and recovery to a point in time. */
const TIMELINE = `('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer`;

/**
 * SQL expression for the identity of the primary, for a query from `pg_control_system() s, pg_database d`: the cluster,
 * the database, its timeline and its start. Another identity may lack changes that were committed before, and uses ids
 * of rows and transactions a second time. The start counts for a server on an older copy of the disk, which begins no
 * timeline. NULL of a replica is left out.
 * @see https://www.postgresql.org/docs/15/continuous-archiving.html#BACKUP-TIMELINES
 */
export const PRIMARY_IDENTITY = `
  concat_ws('-', s.system_identifier, d.oid, CASE WHEN NOT pg_is_in_recovery() THEN ${TIMELINE} END,
    extract(epoch FROM pg_postmaster_start_time())::bigint)`;

const READ_IDENTITY = `
  SELECT ${PRIMARY_IDENTITY} AS identity, ${TIMELINE} AS timeline
  FROM pg_control_system() s, pg_database d WHERE d.datname = current_database()`;

interface Identity {
  readonly identity: string;
  readonly timeline: number;
}

/**
 * Notices within about a second that another primary answers, which may lack changes that this process remembers: after
 * a failover to an asynchronous replica, or a restored disk. Its listeners forget them.
 */
@Injectable()
export class FailoverDetectorService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(FailoverDetectorService.name);
  private readonly listeners: ((timeline: number) => void)[] = [];
  private identity: string | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;

  constructor(private readonly database: SystemDatabase) {}

  /** Adds a listener for the first primary and for each other one. It gets the number of the timeline. */
  onPrimary(listener: (timeline: number) => void): void {
    this.listeners.push(listener);
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.poll();
  }

  onApplicationShutdown(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
  }

  /** Without an answer the next poll compares: PostgreSQL may be away because it changes. */
  private async poll(): Promise<void> {
    const answer = await this.read().catch(() => undefined);
    if (answer !== undefined && answer.identity !== this.identity) this.announce(answer);
    if (!this.isStopped) this.timer = setTimeout(() => void this.poll(), POLL_INTERVAL_MS).unref();
  }

  private announce({ identity, timeline }: Identity): void {
    if (this.identity !== undefined) this.logger.warn(`PostgreSQL is another primary now, on timeline ${timeline}`);
    this.identity = identity;
    for (const listener of this.listeners) listener(timeline);
  }

  private async read(): Promise<Identity | undefined> {
    const [answer] = await this.database.asMonitor((unit) =>
      unit.query<Identity & Record<string, unknown>>(READ_IDENTITY),
    );
    return answer;
  }
}

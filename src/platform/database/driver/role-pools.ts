import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { type ClientBase, Pool } from 'pg';
import { Config } from '../../config/config';
import { pgTypes } from './pg-types';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';

/** The logins besides the app's own that a server process may use. */
export type SystemRole = 'auth' | 'worker' | 'admin' | 'monitor';

/** They are used seldom and shortly; the cluster's connections belong to the app's pool. */
const POOL_SIZE = 4;

/** Idle time of a connection before TCP asks whether the other side is still there. */
const KEEP_ALIVE_MS = 10_000;

/** Options of a connection, whichever role it logs in as. */
export function connectionOptions(config: Config) {
  return {
    types: pgTypes,
    connectionTimeoutMillis: config.database.connectTimeoutMs,
    // Lets the system find a server that is gone while nobody waits for an answer of it.
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
  };
}

/**
 * Options of every pool. The pool itself listens to idle connections only: without this listener the loss of one that
 * is being taken or is in use would end the process. Its next statement fails.
 */
export function poolOptions(config: Config) {
  return {
    ...connectionOptions(config),
    onConnect: (client: ClientBase) => void client.on('error', () => undefined),
  };
}

/** One small connection pool per system role, made at its first use and closed when the application ends. */
@Injectable()
export class RolePools implements OnApplicationShutdown {
  private readonly pools = new Map<SystemRole, Pool>();
  private readonly logger = new Logger(RolePools.name);

  constructor(private readonly config: Config) {}

  /** The pool that logs in as `gigvault_<role>`. */
  of(role: SystemRole): Pool {
    let pool = this.pools.get(role);
    if (!pool) {
      pool = new Pool({
        ...poolOptions(this.config),
        connectionString: this.config.database.urls[role],
        max: POOL_SIZE,
        application_name: `gigvault ${role}`,
      });
      // Without a listener the loss of an idle connection would end the process; the next use connects anew.
      pool.on('error', (error) => this.logger.warn(`${role}: ${error.message}`));
      this.pools.set(role, pool);
    }
    return pool;
  }

  /** The pools made so far. */
  open(): [SystemRole, Pool][] {
    return [...this.pools];
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.pools.values()].map((pool) => pool.end()));
  }
}

/** How busy one connection pool is. */
export interface PoolStatistic {
  readonly role: string;
  readonly total: number;
  readonly idle: number;
  readonly waiting: number;
}

/** Tells how busy the connection pools of this process are, for metrics. */
@Injectable()
export class PoolStatisticsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly rolePools: RolePools,
  ) {}

  /** One entry per pool in use, the app's first. */
  list(): PoolStatistic[] {
    const app = (this.dataSource.driver as unknown as { master: Pool }).master;
    return [statisticOf('app', app), ...this.rolePools.open().map(([role, pool]) => statisticOf(role, pool))];
  }
}

function statisticOf(role: string, { totalCount, idleCount, waitingCount }: Pool): PoolStatistic {
  return { role, total: totalCount, idle: idleCount, waiting: waitingCount };
}

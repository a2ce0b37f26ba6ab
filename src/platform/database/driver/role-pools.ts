import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type ClientBase, Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { Config } from '../../config/config';
import { pgTypes } from './direct-connection';
import { primaryOptions } from './primary-host';

/** A login of a server process other than the app's. */
export type SystemRole = 'auth' | 'worker' | 'admin' | 'monitor';

/** Idle time of a connection before TCP sends a keep-alive probe. */
const KEEP_ALIVE_MS = 10_000;

/** Returns the options of a connection, for any role. */
export function connectionOptions(config: Config) {
  return {
    types: pgTypes,
    connectionTimeoutMillis: config.database.connectTimeoutMs,
    // Detects a lost server even while no statement waits for an answer.
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    ...primaryOptions(config),
  };
}

/**
 * Returns the options of every pool. The pool listens to idle connections only: without this listener, the loss of a
 * connection in use would end the process. Its next statement fails.
 */
export function poolOptions(config: Config) {
  return {
    ...connectionOptions(config),
    onConnect: (client: ClientBase) => void client.on('error', () => undefined),
  };
}

/**
 * One connection pool per system role, opened at its first use and closed at shutdown. Small by default, because these
 * roles are used rarely and briefly; the app's pool needs the cluster's connections.
 */
@Injectable()
export class RolePools implements OnApplicationShutdown {
  private readonly pools = new Map<SystemRole, Pool>();
  private readonly logger = new Logger(RolePools.name);

  constructor(private readonly config: Config) {}

  /** Returns the pool with the login `gigvault_<role>`. */
  of(role: SystemRole): Pool {
    let pool = this.pools.get(role);
    if (!pool) {
      pool = new Pool({
        ...poolOptions(this.config),
        connectionString: this.config.getDatabaseUrl(role),
        max: this.config.database.rolePoolSizes[role],
        application_name: `gigvault ${role}`,
      });
      // Without a listener the loss of an idle connection would end the process; the next use reconnects.
      pool.on('error', (error) => this.logger.warn(`${role}: ${error.message}`));
      this.pools.set(role, pool);
    }
    return pool;
  }

  /** Returns the pools opened so far. */
  open(): [SystemRole, Pool][] {
    return [...this.pools];
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.pools.values()].map((pool) => pool.end()));
  }
}

/** Connection counts of one pool. */
interface PoolStatistic {
  readonly role: string;
  readonly total: number;
  readonly idle: number;
  readonly waiting: number;
}

/** Reports the connection counts of this process' pools, for metrics. */
@Injectable()
export class PoolStatisticsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly rolePools: RolePools,
  ) {}

  /** Returns one entry per pool in use, the app's first. */
  list(): PoolStatistic[] {
    const app = (this.dataSource.driver as unknown as { master: Pool }).master;
    return [buildStatistic('app', app), ...this.rolePools.open().map(([role, pool]) => buildStatistic(role, pool))];
  }
}

function buildStatistic(role: string, { totalCount, idleCount, waitingCount }: Pool): PoolStatistic {
  return { role, total: totalCount, idle: idleCount, waiting: waitingCount };
}

import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type ClientBase, Pool, type PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import { FairSemaphore } from '../../concurrency/fair-semaphore';
import { Config } from '../../config/config';
import { currentContext, type RequestContext } from '../../context/request-context';
import { pgTypes } from './direct-connection';
import { type PipelinedStatement, StatementPipeline, type StatementResult } from './statement-pipeline';

/** Extra time for an answer after PostgreSQL's own statement timeout. */
const GRACE_MS = 2_000;

/** A pool connection, used by one unit of work. */
export class Connection {
  private constructor(
    private readonly client: PoolClient,
    private readonly releaseSlot: (() => void) | undefined,
  ) {}

  /**
   * Acquires a connection of the pool.
   * @param acquireSlot waits for a slot of the tenant and returns the function that releases it
   */
  static async acquire(pool: Pool, acquireSlot?: () => Promise<() => void>): Promise<Connection> {
    const releaseSlot = acquireSlot && (await acquireSlot());
    try {
      return new Connection(await pool.connect(), releaseSlot);
    } catch (error) {
      releaseSlot?.();
      throw error;
    }
  }

  /**
   * Sends statements together and returns their results in order. Closes the connection when the server does not answer
   * in time: a frozen or unreachable server would never end the wait.
   * @throws the PostgreSQL error of the failed statement, or AnswerTimeoutError
   */
  send(statements: readonly PipelinedStatement[], statementTimeoutMs: number): Promise<StatementResult[]> {
    return StatementPipeline.send(this.client, statements, statementTimeoutMs + GRACE_MS);
  }

  /** Returns the connection to its pool. */
  release(): void {
    this.client.release();
    this.releaseSlot?.();
  }

  /** Returns the connection after a last statement, or closes it when that fails. Never throws. */
  async releaseAfter(statement: 'ROLLBACK' | 'SELECT'): Promise<void> {
    const isBroken = await StatementPipeline.send(this.client, [{ text: statement, values: [] }], GRACE_MS).then(
      () => false,
      () => true,
    );
    this.client.release(isBroken);
    this.releaseSlot?.();
  }
}

/** Share of the pool's connections that one tenant may hold. */
const SHARE = 0.4;

/** Requests of one tenant that may wait for a connection. */
const MAX_WAITING_PER_TENANT = 100;

/**
 * Limits the pool connections of each tenant, so that one tenant's slow requests leave connections for others.
 */
export class TenantConnectionSlots {
  private readonly slots: FairSemaphore;
  private readonly slotsByRequest = new WeakMap<RequestContext, number>();

  constructor(poolSize: number, maxWaitMs: number) {
    this.slots = new FairSemaphore({
      resource: 'requests',
      perKey: Math.ceil(poolSize * SHARE),
      maxWaitingPerKey: MAX_WAITING_PER_TENANT,
      maxWaitMs,
    });
  }

  /**
   * Waits for a slot of the tenant and returns the function that releases it. A request that has a slot gets another at
   * once: otherwise requests with all slots could wait for each other.
   * @throws AppError `rate.too_many_at_once`
   */
  async acquire(userId: number): Promise<() => void> {
    const context = currentContext();
    if (context !== undefined && this.slotsByRequest.has(context)) return () => undefined;
    const release = await this.slots.acquire(userId);
    if (context === undefined) return release;
    this.count(context, 1);
    return () => {
      this.count(context, -1);
      release();
    };
  }

  private count(context: RequestContext, change: 1 | -1): void {
    const slots = (this.slotsByRequest.get(context) ?? 0) + change;
    if (slots > 0) this.slotsByRequest.set(context, slots);
    else this.slotsByRequest.delete(context);
  }
}

/** A login of a server process other than the app's. */
export type SystemRole = 'auth' | 'worker' | 'admin' | 'monitor';

/** Small because these roles are used rarely and briefly; the app's pool needs the cluster's connections. */
const POOL_SIZE = 4;

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

/** One small connection pool per system role, opened at its first use and closed at shutdown. */
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
        connectionString: this.config.database.urls[role],
        max: POOL_SIZE,
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

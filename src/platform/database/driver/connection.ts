import type { Pool, PoolClient } from 'pg';
import { StatementPipeline, type StatementResult, type PipelinedStatement } from './statement-pipeline';
import { FairSemaphore } from '../../concurrency/fair-semaphore';
import { currentContext, type RequestContext } from '../../context/request-context';

/**
 * PostgreSQL ends a statement at its timeout. An answer that is later than that by this much is not awaited any
 * longer.
 */
const GRACE_MS = 2_000;

/** A connection of a pool, taken by one unit of work. */
export class Connection {
  private constructor(
    private readonly client: PoolClient,
    private readonly releaseSlot: (() => void) | undefined,
  ) {}

  /**
   * Takes a connection of the pool.
   * @param takePlace waits for the right to take one, and returns the function that gives it back
   */
  static async acquire(pool: Pool, takePlace?: () => Promise<() => void>): Promise<Connection> {
    const givePlaceBack = takePlace && (await takePlace());
    try {
      return new Connection(await pool.connect(), givePlaceBack);
    } catch (error) {
      givePlaceBack?.();
      throw error;
    }
  }

  /**
   * Sends statements together and returns their answers in order. A server that does not answer in time loses the
   * connection: it may be frozen or cut off, and would never end the wait by itself.
   * @throws the PostgreSQL error of the statement that failed, AnswerTimeoutError
   */
  send(statements: readonly PipelinedStatement[], statementTimeoutMs: number): Promise<StatementResult[]> {
    return StatementPipeline.send(this.client, statements, statementTimeoutMs + GRACE_MS);
  }

  /** Gives the connection back to its pool. */
  release(): void {
    this.client.release();
    this.releaseSlot?.();
  }

  /** Gives the connection back after a last statement, or closes it when that fails. Never throws. */
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
 * Divides the connections of the app's pool between tenants, so that one tenant's slow requests leave some to the
 * others.
 */
export class TenantConnectionSlots {
  private readonly slots: FairSemaphore;
  /** Places that each request holds. */
  private readonly held = new WeakMap<RequestContext, number>();

  constructor(poolSize: number, maxWaitMs: number) {
    this.slots = new FairSemaphore({
      resource: 'requests',
      perKey: Math.ceil(poolSize * SHARE),
      maxWaitingPerKey: MAX_WAITING_PER_TENANT,
      maxWaitMs,
    });
  }

  /**
   * Waits until the tenant may take a connection, and returns the function that gives the place back. A request that
   * holds a place gets another at once: if it waited, requests that hold all places could wait for each other.
   * @throws AppError `rate.too_many_at_once`
   */
  async acquire(userId: number): Promise<() => void> {
    const context = currentContext();
    if (context !== undefined && this.held.has(context)) return () => undefined;
    const release = await this.slots.acquire(userId);
    if (context === undefined) return release;
    this.count(context, 1);
    return () => {
      this.count(context, -1);
      release();
    };
  }

  private count(context: RequestContext, change: 1 | -1): void {
    const held = (this.held.get(context) ?? 0) + change;
    if (held > 0) this.held.set(context, held);
    else this.held.delete(context);
  }
}

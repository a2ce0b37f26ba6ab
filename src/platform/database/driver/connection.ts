import type { Pool, PoolClient } from 'pg';
import { FairSemaphore } from '../../concurrency/fair-semaphore';
import { currentContext, type RequestContext } from '../../context/request-context';
import { type PipelinedStatement, StatementPipeline, type StatementResult } from './statement-pipeline';

/** Extra time for an answer after PostgreSQL's own statement timeout. */
const GRACE_MS = 2_000;

/**
 * SQLSTATEs after which a connection is not used again: a statement name that the session does not know, because
 * something has deallocated it, and a read-only transaction. After a failover the next connection leads to the primary.
 */
const UNUSABLE_SESSION = new Set(['26000', '25006']);

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

  /**
   * Returns the connection after a last statement, or closes it when that fails, or when the session has lost its
   * prepared statements or is read-only. Never throws.
   * @param failure the error of the unit
   */
  async releaseAfter(statement: 'ROLLBACK' | 'SELECT', failure: unknown): Promise<void> {
    const isUnusable = UNUSABLE_SESSION.has((failure as { code?: string } | undefined)?.code ?? '');
    const isBroken = await StatementPipeline.send(this.client, [{ text: statement, values: [] }], GRACE_MS).then(
      () => false,
      () => true,
    );
    this.client.release(isBroken || isUnusable);
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

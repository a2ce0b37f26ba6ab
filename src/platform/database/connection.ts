import type { Pool, PoolClient } from 'pg';
import { Flight, type FlightResult, type FlightStatement } from './flight';

/**
 * PostgreSQL ends a statement at its timeout. An answer that is later than that by this much is not awaited any
 * longer.
 */
const GRACE_MS = 2_000;

/** A connection of a pool, taken by one unit of work. */
export class Connection {
  private constructor(
    private readonly client: PoolClient,
    private readonly givePlaceBack: (() => void) | undefined,
  ) {}

  /**
   * Takes a connection of the pool.
   * @param takePlace waits for the right to take one, and returns the function that gives it back
   */
  static async take(pool: Pool, takePlace?: () => Promise<() => void>): Promise<Connection> {
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
  send(statements: readonly FlightStatement[], statementTimeoutMs: number): Promise<FlightResult[]> {
    return Flight.send(this.client, statements, statementTimeoutMs + GRACE_MS);
  }

  /** Gives the connection back to its pool. */
  release(): void {
    this.client.release();
    this.givePlaceBack?.();
  }

  /** Gives the connection back after a last statement, or closes it when that fails. Never throws. */
  async releaseAfter(statement: 'ROLLBACK' | 'SELECT'): Promise<void> {
    const isBroken = await Flight.send(this.client, [{ text: statement, values: [] }], GRACE_MS).then(
      () => false,
      () => true,
    );
    this.client.release(isBroken);
    this.givePlaceBack?.();
  }
}

import type { Pool, QueryResultRow } from 'pg';
import type { QueryRunner } from 'typeorm';
import { Connection } from './driver/connection';
import {
  auditParameters,
  type EntityChange,
  type EntityClass,
  type EntityRegistry,
  EntityRepository,
  type Identified,
} from './entity-repository';
import type { StatementResult, PipelinedStatement } from './driver/statement-pipeline';
import { markHandled } from '../concurrency/mark-handled';
import { isWriting, statementName } from './driver/statement-names';
import {
  SET_CONTEXT,
  SET_CONTEXT_AND_PLAN,
  SET_AUDIT_SOURCE,
  settingValues,
  type AuditSource,
  type TransactionSettings,
} from './transaction-settings';

/** What a unit of work needs from its gate. */
export interface UnitOfWorkOptions {
  readonly pool: Pool;
  /** Waits for the right to take a connection of the pool, and returns the function that gives it back. */
  readonly acquireSlot?: () => Promise<() => void>;
  readonly settings: TransactionSettings;
  readonly named: boolean;
  /** Absent for roles that have no entity API. */
  readonly entities?: EntityRegistry;
  /** Called after the COMMIT of a unit that may have changed rows, and awaited by it. */
  readonly afterChange?: () => Promise<void>;
}

/** How one statement is run. */
export interface QueryOptions {
  /**
   * Whether the statement gets one plan for all values, or each time one for its values. By itself PostgreSQL takes the one
   * from the sixth run on if it looks no dearer than those before: the making of a large plan costs more than its run, and
   * a plan for any value cannot know that this one is rare.
   * @see https://www.postgresql.org/docs/15/runtime-config-query.html#GUC-PLAN-CACHE-MODE
   */
  readonly planned?: 'once' | 'eachTime';
  /** Longest run of the statement when it is a unit by itself; by default that of every statement of a request. */
  readonly statementTimeoutMs?: number;
}

/** A statement that waits for the next flight, and whoever waits for its answer. */
interface PendingStatement {
  readonly auditSource?: AuditSource;
  readonly statement: PipelinedStatement;
  readonly resolve: (result: StatementResult) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One transaction with its context in it. BEGIN and the context travel with the first statement in one socket write, so
 * a unit without a statement costs nothing; the audit rows of entity work travel with COMMIT. Statements may be issued
 * in parallel: they leave together and run in the order of issue. Made and ended by the gates only.
 * @see README.md beside this file; performance figures are printed by `npm run bench`
 */
export class UnitOfWork {
  /** Changes told by the audit subscriber; must match what `of()` announced, or the unit does not commit. */
  readonly changes: EntityChange[] = [];
  private readonly lockedRows = new WeakSet<Identified>();
  private expectedChanges = 0;
  private connection: Connection | undefined;
  private statementTimeoutMs: number;
  private auditSource: AuditSource | undefined;
  private queryRunner: QueryRunner | undefined;
  private queue: PendingStatement[] = [];
  private flushing: Promise<void> | undefined;
  private failure: Error | undefined;
  private ended = false;
  private hasWritten = false;

  constructor(private readonly options: UnitOfWorkOptions) {
    this.statementTimeoutMs = options.settings.statementTimeoutMs;
  }

  /**
   * Runs one statement; its rows come as pg-types.ts says. What it changes is audited by the triggers.
   * @throws the PostgreSQL error of the first statement of the unit that failed, for pg-errors.ts to map
   */
  query<Row extends QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    this.markWrite(sql);
    return this.send<Row>('triggers', sql, values);
  }

  /** Lets each statement of this unit run this long from now on. */
  setStatementTimeout(ms: number): void {
    this.statementTimeoutMs = ms;
    void this.query(`SELECT set_config('statement_timeout', $1, true)`, [String(ms)]);
  }

  /** The rows of an entity's table, read and written one by one; each write is audited by the subscriber. */
  repository<E extends Identified>(entity: EntityClass<E>): EntityRepository<E> {
    const { entities } = this.options;
    if (!entities) throw new Error(`${entity.name}: only the tenant's gate reads and writes entities`);
    this.queryRunner ??= entities.queryRunnerFor(this);
    return new EntityRepository(entities.statementsOf(entity), this.queryRunner, {
      send: (sql, values) => this.send('subscriber', sql, values),
      expectChange: () => void (this.expectedChanges += 1),
      lockedRows: this.lockedRows,
    });
  }

  /**
   * Runs one statement as the whole unit and ends it: context and statement in one socket write, one round trip. What
   * travels together is a transaction without BEGIN and COMMIT.
   * @throws the statement's PostgreSQL error; nothing is then written
   */
  async queryOnce<Row extends QueryResultRow>(
    sql: string,
    values: readonly unknown[] = [],
    options?: QueryOptions,
  ): Promise<Row[]> {
    this.ended = true;
    this.markWrite(sql);
    this.statementTimeoutMs = options?.statementTimeoutMs ?? this.statementTimeoutMs;
    const connection = await this.connect();
    let results: StatementResult[];
    try {
      const statements = [this.context('triggers', options), this.statement(sql, values)];
      results = await connection.send(statements, this.statementTimeoutMs);
    } catch (error) {
      // PostgreSQL has rolled back by itself; what is left to learn is whether the connection lives.
      await connection.releaseAfter('SELECT');
      throw withCallerStack(error);
    }
    connection.release();
    if (this.hasWritten) await this.options.afterChange?.();
    return results[1]!.rows as Row[];
  }

  /** Makes COMMIT impossible: a part of the unit failed, even if its caller went on. */
  fail(error: unknown): void {
    this.failure ??= error instanceof Error ? error : new Error(String(error));
  }

  /**
   * Ends the unit by COMMIT, with the audit rows of its entity work in the same flight, and gives the connection back.
   * @throws the first failure of the unit; nothing is then written
   */
  async commit(): Promise<void> {
    this.ended = true;
    if (this.expectedChanges !== this.changes.length) await this.awaitLateWrites();
    if (this.expectedChanges !== this.changes.length) {
      this.fail(
        new Error(`${this.expectedChanges} entity writes announced, ${this.changes.length} audited: not committed`),
      );
    }
    if (this.failure === undefined && (this.queue.length > 0 || this.auditSource !== undefined)) {
      await this.sendAuditAndCommit().catch((error: unknown) => this.fail(error));
    }
    if (this.failure !== undefined) {
      await this.rollback();
      throw this.failure;
    }
    this.connection?.release();
    this.connection = undefined;
    if (this.hasWritten || this.changes.some(isRealChange)) await this.options.afterChange?.();
  }

  /** Ends the unit by ROLLBACK and gives the connection back; a broken connection is thrown away. Never throws. */
  async rollback(): Promise<void> {
    this.ended = true;
    this.rejectQueue(this.failure ?? new Error('the unit of work was rolled back'));
    await this.flushing;
    const { connection } = this;
    if (!connection) return;
    this.connection = undefined;
    await connection.releaseAfter('ROLLBACK');
  }

  /** The audit rows and COMMIT; one of a failed transaction answers ROLLBACK without an error of its own. */
  private async sendAuditAndCommit(): Promise<void> {
    for (const change of this.changes.filter(isRealChange)) {
      // A failure of it reaches the unit with that of its flight.
      void markHandled(
        this.enqueue(this.statement('SELECT audit.record($1, $2, $3, $4, $5)', auditParameters(change))),
      );
    }
    const { command } = await this.enqueue(this.statement('COMMIT', []));
    if (command !== 'COMMIT') throw new Error(`COMMIT answered ${command}`);
  }

  /** Lets writes whose promises nobody awaited tell their changes, as far as they ever will. */
  private async awaitLateWrites(): Promise<void> {
    await this.flush();
    await new Promise(setImmediate);
  }

  /** Looked into only where somebody wants to know. */
  private markWrite(sql: string): void {
    this.hasWritten ||= this.options.afterChange !== undefined && isWriting(sql);
  }

  /** The unit fails as a whole, and its end throws the failure: no answer has to be awaited for its error. */
  private send<Row extends QueryResultRow>(pen: AuditSource, sql: string, values: readonly unknown[]): Promise<Row[]> {
    return markHandled(
      this.ended
        ? Promise.reject(new Error('a unit of work was used after its end'))
        : this.enqueue(this.statement(sql, values), pen).then(({ rows }) => rows as Row[]),
    );
  }

  /** Everything boarded in one turn of the event loop leaves together: ticks come after promises. */
  private enqueue(statement: PipelinedStatement, pen?: AuditSource): Promise<StatementResult> {
    return new Promise((resolve, reject) => {
      if (this.queue.push({ auditSource: pen, statement, resolve, reject }) === 1)
        process.nextTick(() => void this.flush());
    });
  }

  private connect(): Promise<Connection> {
    return Connection.acquire(this.options.pool, this.options.acquireSlot);
  }

  /** Sends what waits, flight after flight; returns when nothing waits any more, and never throws. */
  private flush(): Promise<void> {
    this.flushing ??= this.flushQueue().finally(() => (this.flushing = undefined));
    return this.flushing;
  }

  private async flushQueue(): Promise<void> {
    while (this.queue.length > 0) {
      const passengers = this.queue;
      this.queue = [];
      try {
        this.connection ??= await this.connect();
        const [statements, seats] = this.buildBatch(passengers);
        const results = await this.connection.send(statements, this.statementTimeoutMs);
        passengers.forEach(({ resolve }, i) => resolve(results[seats[i]!]!));
      } catch (error) {
        // After the first error of a transaction all others only say that it is aborted.
        this.fail(withCallerStack(error));
        for (const { reject } of passengers) reject(this.failure!);
        this.rejectQueue(this.failure!);
      }
    }
  }

  /** BEGIN and the context go before the first statement, and the pen moves where a statement wants the other. */
  private buildBatch(passengers: readonly PendingStatement[]): [statements: PipelinedStatement[], seats: number[]] {
    const statements: PipelinedStatement[] = [];
    const seats = passengers.map(({ statement, auditSource: pen = this.auditSource ?? 'triggers' }) => {
      if (this.auditSource === undefined) statements.push(this.statement('BEGIN', []), this.context(pen));
      else if (this.auditSource !== pen) statements.push(this.statement(SET_AUDIT_SOURCE, [pen]));
      this.auditSource = pen;
      return statements.push(statement) - 1;
    });
    return [statements, seats];
  }

  private rejectQueue(error: Error): void {
    for (const { reject } of this.queue) reject(error);
    this.queue = [];
  }

  private context(pen: AuditSource, options?: QueryOptions): PipelinedStatement {
    const text = options?.planned === undefined ? SET_CONTEXT : SET_CONTEXT_AND_PLAN[options.planned];
    return this.statement(text, settingValues(this.options.settings, pen, this.statementTimeoutMs));
  }

  private statement(text: string, values: readonly unknown[]): PipelinedStatement {
    return { name: this.options.named ? statementName(text) : undefined, text, values };
  }
}

/** An error of PostgreSQL knows the parser that read it and not who asked; what awaited it is told in its place. */
function withCallerStack(error: unknown): unknown {
  if (error instanceof Error) Error.captureStackTrace(error, withCallerStack);
  return error;
}

/** An update whose values turn out equal ('5' for 5.00) changed nothing. */
function isRealChange(change: EntityChange): boolean {
  return change.action !== 'UPDATE' || change.new !== '{}';
}

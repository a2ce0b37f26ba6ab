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
import { markHandled } from '../concurrency/fair-semaphore';
import { hideQuotedValues } from '../errors/postgres-errors';
import type { ContextSigner } from './context-signer';
import { isReadOnly, isWriting, statementName } from './driver/statement-names';
import { actorFields, contextFields, type AuditSource, type TransactionSettings } from './transaction-settings';
import { REPLACE_CONTEXT, SET_CONTEXT, SET_CONTEXT_AND_PLAN } from './transaction-settings';

/** The dependencies and settings of a unit of work. */
export interface UnitOfWorkOptions {
  readonly pool: Pool;
  /** Waits for a slot of the tenant and returns the function that releases it. */
  readonly acquireSlot?: () => Promise<() => void>;
  readonly settings: TransactionSettings;
  readonly signer: ContextSigner;
  readonly named: boolean;
  /** Absent for roles that have no entity API. */
  readonly entities?: EntityRegistry;
  /** Called and awaited after the COMMIT of a unit that may have changed rows. */
  readonly afterChange?: () => Promise<void>;
}

/** Options of one statement. */
export interface QueryOptions {
  /**
   * Plan mode: one generic plan for all values, or a custom plan per run. By default PostgreSQL uses the generic plan
   * from the sixth run on if its estimated cost is not higher. Planning a large statement costs more than running it; a
   * generic plan cannot know that a value is rare.
   * @see https://www.postgresql.org/docs/15/runtime-config-query.html#GUC-PLAN-CACHE-MODE
   */
  readonly planned?: 'once' | 'eachTime';
  /** Longest run of the statement when it is a separate unit; by default that of all statements of requests. */
  readonly statementTimeoutMs?: number;
}

/** A statement that waits for the next batch, with the callbacks for its result. */
interface PendingStatement {
  readonly auditSource?: AuditSource;
  readonly statement: PipelinedStatement;
  readonly resolve: (result: StatementResult) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One transaction with its context. BEGIN and the context are sent with the first statement, so a unit without
 * statements costs nothing. Audit rows of entity work are sent with COMMIT. Statements issued in parallel are sent
 * together and run in order. Only `Database` and `SystemDatabase` create and end units.
 * @see README.md beside this file; performance figures are printed by `npm run bench`
 */
export class UnitOfWork {
  /** Changes recorded by the audit subscriber. Their number must match the expected changes, or COMMIT is refused. */
  readonly changes: EntityChange[] = [];
  /** True when `afterChange` must run. A caller of an SQL function that writes sets it. */
  hasWritten = false;
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
  /** The time of all signatures of this unit, which PostgreSQL compares with the start of the transaction. */
  private signedAtMs: number | undefined;

  constructor(private readonly options: UnitOfWorkOptions) {
    this.statementTimeoutMs = options.settings.statementTimeoutMs;
  }

  /**
   * Runs one statement and returns its rows, parsed as in direct-connection.ts. Triggers audit its changes.
   * @throws the PostgreSQL error of the first failed statement of the unit, for postgres-errors.ts to map
   */
  query<Row extends QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    this.markWrite(sql);
    return this.send<Row>('triggers', sql, values);
  }

  /** Sets the statement timeout for the rest of this unit. */
  setStatementTimeout(ms: number): void {
    this.statementTimeoutMs = ms;
    void this.query(`SELECT set_config('statement_timeout', $1, true)`, [String(ms)]);
  }

  /** Returns the repository of an entity, which reads and writes single rows. The subscriber audits each write. */
  repository<E extends Identified>(entity: EntityClass<E>): EntityRepository<E> {
    const { entities } = this.options;
    if (!entities) throw new Error(`${entity.name}: only units of Database read and write entities`);
    this.queryRunner ??= entities.queryRunnerFor(this);
    return new EntityRepository(entities.statementsOf(entity), this.queryRunner, {
      send: (sql, values) => this.send('subscriber', sql, values),
      expectChange: () => void (this.expectedChanges += 1),
      lockedRows: this.lockedRows,
    });
  }

  /**
   * Runs one statement as the whole unit, in one round trip, and ends it. Statements sent together are a transaction
   * without BEGIN and COMMIT.
   * @throws the statement's PostgreSQL error; then nothing was written
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
      const statements = [this.setContext(this.signOnce(sql), options), this.statement(sql, values)];
      results = await connection.send(statements, this.statementTimeoutMs);
    } catch (error) {
      // PostgreSQL has rolled back by itself; the SELECT only checks the connection.
      await connection.releaseAfter('SELECT', error);
      throw withCallerStack(error);
    }
    connection.release();
    if (this.hasWritten) await this.options.afterChange?.();
    return results[1]!.rows as Row[];
  }

  /** Prevents COMMIT, because a part of the unit failed. */
  fail(error: unknown): void {
    this.failure ??= error instanceof Error ? error : new Error(String(error));
  }

  /**
   * Ends the unit by COMMIT, sent together with the audit rows of its entity work, and returns the connection.
   * @throws the first failure of the unit; then nothing was written
   */
  async commit(): Promise<void> {
    this.ended = true;
    if (this.expectedChanges !== this.changes.length) await this.awaitLateWrites();
    if (this.expectedChanges !== this.changes.length) {
      this.fail(
        new Error(`${this.expectedChanges} entity writes expected, ${this.changes.length} audited: not committed`),
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

  /** Ends the unit by ROLLBACK and returns the connection, or closes a broken one. Never throws. */
  async rollback(): Promise<void> {
    this.ended = true;
    this.rejectQueue(this.failure ?? new Error('the unit of work was rolled back'));
    await this.flushing;
    const { connection } = this;
    if (!connection) return;
    this.connection = undefined;
    await connection.releaseAfter('ROLLBACK', this.failure);
  }

  /** Sends the audit rows and COMMIT. COMMIT of a failed transaction answers ROLLBACK without an error. */
  private async sendAuditAndCommit(): Promise<void> {
    for (const change of this.changes.filter(isRealChange)) {
      // A failure reaches the unit with the error of its batch.
      void markHandled(
        this.enqueue(this.statement('SELECT audit.record($1, $2, $3, $4, $5)', auditParameters(change))),
      );
    }
    const { command } = await this.enqueue(this.statement('COMMIT', []));
    if (command !== 'COMMIT') throw new Error(`COMMIT answered ${command}`);
  }

  /** Gives un-awaited writes one turn of the event loop to record their changes. */
  private async awaitLateWrites(): Promise<void> {
    await this.flush();
    await new Promise(setImmediate);
  }

  /** Notes a write. Checks the SQL only when an `afterChange` hook is registered. */
  private markWrite(sql: string): void {
    this.hasWritten ||= this.options.afterChange !== undefined && isWriting(sql);
  }

  /** Queues a statement. Its error need not be awaited: the end of the unit throws the first failure. */
  private send<Row extends QueryResultRow>(
    auditSource: AuditSource,
    sql: string,
    values: readonly unknown[],
  ): Promise<Row[]> {
    return markHandled(
      this.ended
        ? Promise.reject(new Error('a unit of work was used after its end'))
        : this.enqueue(this.statement(sql, values), auditSource).then(({ rows }) => rows as Row[]),
    );
  }

  /** Queues a statement. All statements of one event loop turn are sent together: ticks run after promises. */
  private enqueue(statement: PipelinedStatement, auditSource?: AuditSource): Promise<StatementResult> {
    return new Promise((resolve, reject) => {
      if (this.queue.push({ auditSource, statement, resolve, reject }) === 1) process.nextTick(() => void this.flush());
    });
  }

  private connect(): Promise<Connection> {
    return Connection.acquire(this.options.pool, this.options.acquireSlot);
  }

  /** Sends all queued statements, batch after batch. Never throws. */
  private flush(): Promise<void> {
    this.flushing ??= this.flushQueue().finally(() => (this.flushing = undefined));
    return this.flushing;
  }

  private async flushQueue(): Promise<void> {
    while (this.queue.length > 0) {
      const batch = this.queue;
      this.queue = [];
      try {
        this.connection ??= await this.connect();
        const [statements, resultIndexes] = this.buildBatch(batch);
        const results = await this.connection.send(statements, this.statementTimeoutMs);
        batch.forEach(({ resolve }, i) => resolve(results[resultIndexes[i]!]!));
      } catch (error) {
        // After the first error of a transaction all others only say that it is aborted.
        this.fail(withCallerStack(error));
        for (const { reject } of batch) reject(this.failure!);
        this.rejectQueue(this.failure!);
      }
    }
  }

  /** Adds BEGIN and the context before the first statement, and switches the audit source where needed. */
  private buildBatch(batch: readonly PendingStatement[]): [statements: PipelinedStatement[], resultIndexes: number[]] {
    const statements: PipelinedStatement[] = [];
    const resultIndexes = batch.map(({ statement, auditSource = this.auditSource ?? 'triggers' }) => {
      if (this.auditSource === undefined)
        statements.push(this.statement('BEGIN', []), this.setContext(this.sign(auditSource)));
      else if (this.auditSource !== auditSource)
        statements.push(this.statement(REPLACE_CONTEXT, [this.sign(auditSource)]));
      this.auditSource = auditSource;
      return statements.push(statement) - 1;
    });
    return [statements, resultIndexes];
  }

  private rejectQueue(error: Error): void {
    for (const { reject } of this.queue) reject(error);
    this.queue = [];
  }

  private setContext(signed: string, options?: QueryOptions): PipelinedStatement {
    const text = options?.planned === undefined ? SET_CONTEXT : SET_CONTEXT_AND_PLAN[options.planned];
    return this.statement(text, [signed, String(this.statementTimeoutMs)]);
  }

  private sign(auditSource: AuditSource): string {
    this.signedAtMs ??= this.options.signer.now();
    return this.options.signer.sign(contextFields(this.options.settings, auditSource), this.signedAtMs);
  }

  /** Signs the context of a unit of one statement: a read needs no fields for the audit. */
  private signOnce(sql: string): string {
    if (!isReadOnly(sql)) return this.sign('triggers');
    return this.options.signer.signReusable(actorFields(this.options.settings));
  }

  private statement(text: string, values: readonly unknown[]): PipelinedStatement {
    return { name: this.options.named ? statementName(text) : undefined, text, values };
  }
}

/** Replaces the driver's stack trace with the caller's, and hides values in the message. */
function withCallerStack(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  hideQuotedValues(error);
  Error.captureStackTrace(error, withCallerStack);
  return error;
}

/** Returns false for an update whose values turned out equal ('5' for 5.00). */
function isRealChange(change: EntityChange): boolean {
  return change.action !== 'UPDATE' || change.new !== '{}';
}

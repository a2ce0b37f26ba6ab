import type { Pool, PoolClient, QueryResult, QueryResultRow } from 'pg';
import type { QueryRunner } from 'typeorm';
import { Entities, type EntityClass, type EntityRegistry, type Identified } from './entities';
import type { EntityChange } from './entity-change';
import { statementName } from './statement-names';
import { SET_CONTEXT, SET_PEN, settingValues, type Pen, type UnitSettings } from './unit-settings';

/** What a unit of work needs from its gate. */
export interface UnitOptions {
  readonly pool: Pool;
  readonly settings: UnitSettings;
  readonly named: boolean;
  /** Absent for roles that have no entity API. */
  readonly entities?: EntityRegistry;
}

/** How one statement is run. */
export interface QueryOptions {
  /**
   * Plans the statement at each run, for the values it has then. A named statement gets one plan for all values from its
   * sixth run on, which serves a rare word of a search well and reads a whole tenant for a common one.
   */
  readonly isPlannedAnew?: boolean;
}

/**
 * One transaction with its context in it. BEGIN and the context travel with the first statement in one socket write, so
 * a unit without a statement costs nothing; the audit rows of entity work travel with COMMIT. Statements may be issued
 * in parallel: they leave together and run in the order of issue. Made and ended by the gates only.
 * @see README.md beside this file; performance figures are printed by `npm run bench`
 */
export class Unit {
  /** Changes told by the audit subscriber; must match what `of()` announced, or the unit does not commit. */
  readonly changes: EntityChange[] = [];
  private announced = 0;
  private client: Promise<PoolClient> | undefined;
  private pen: Pen | undefined;
  private queryRunner: QueryRunner | undefined;
  private readonly sent: Promise<unknown>[] = [];
  private failure: Error | undefined;
  private ended = false;

  constructor(private readonly options: UnitOptions) {}

  /**
   * Runs one statement; its rows come as pg-types.ts says. What it changes is audited by the triggers.
   * @throws the PostgreSQL error of the first statement of the unit that failed, for pg-errors.ts to map
   */
  query<Row extends QueryResultRow>(sql: string, values: readonly unknown[] = [], options?: QueryOptions): Promise<Row[]> {
    return this.send<Row>('', sql, values, options);
  }

  /** The rows of an entity's table, read and written one by one; each write is audited by the subscriber. */
  of<E extends Identified>(entity: EntityClass<E>): Entities<E> {
    const { entities } = this.options;
    if (!entities) throw new Error(`${entity.name}: only the tenant's gate reads and writes entities`);
    this.queryRunner ??= entities.queryRunnerFor(this);
    return new Entities(entities.statementsOf(entity), this.queryRunner, {
      send: (sql, values) => this.send('orm', sql, values),
      announce: () => void (this.announced += 1),
    });
  }

  /**
   * Runs one statement as the whole unit and ends it: BEGIN, context, statement and COMMIT in one socket write, one
   * round trip.
   * @throws the statement's PostgreSQL error; nothing is then written
   */
  async only<Row extends QueryResultRow>(
    sql: string,
    values: readonly unknown[] = [],
    options?: QueryOptions,
  ): Promise<Row[]> {
    this.ended = true;
    const client = await (this.client = connect(this.options.pool));
    try {
      const [result] = await this.flight(client, () => {
        this.prepareFor('', client);
        return Promise.all([this.issue<Row>(client, sql, values, options), this.issueCommit(client)]);
      });
      await this.release();
      return result.rows;
    } catch (error) {
      await this.rollback();
      throw error;
    }
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
    if (this.announced !== this.changes.length) await this.settle();
    if (this.announced !== this.changes.length) {
      this.fail(new Error(`${this.announced} entity writes announced, ${this.changes.length} audited: not committed`));
    }
    if (this.failure === undefined && this.client) {
      const client = await this.client;
      await this.flight(client, () => {
        const changes = this.changes.filter(isRealChange);
        if (changes.length > 0) void this.issue(client, `SELECT audit.record($1)`, [JSON.stringify(changes)]);
        return this.issueCommit(client);
      }).catch((error: unknown) => this.fail(error));
    }
    if (this.failure !== undefined) {
      await this.rollback();
      throw this.failure;
    }
    await this.release();
  }

  /** Lets writes whose promises nobody awaited tell their changes, as far as they ever will. */
  private async settle(): Promise<void> {
    await this.client?.catch(() => undefined);
    await Promise.allSettled(this.sent);
    await new Promise(setImmediate);
  }

  /** Ends the unit by ROLLBACK and gives the connection back; a broken connection is thrown away. Never throws. */
  async rollback(): Promise<void> {
    this.ended = true;
    const client = await this.client?.catch(() => undefined);
    if (!client) return;
    await Promise.allSettled(this.sent);
    const broken = await client.query('ROLLBACK').then(
      () => false,
      () => true,
    );
    client.release(broken);
    this.client = undefined;
  }

  private async release(): Promise<void> {
    const client = await this.client;
    this.client = undefined;
    client?.release();
  }

  private async send<Row extends QueryResultRow>(
    pen: Pen,
    sql: string,
    values: readonly unknown[],
    options?: QueryOptions,
  ): Promise<Row[]> {
    if (this.ended) throw new Error('a unit of work was used after its end');
    this.client ??= connect(this.options.pool);
    const client = await this.client;
    const result = await this.flight(client, () => {
      this.prepareFor(pen, client);
      return this.issue<Row>(client, sql, values, options);
    });
    return result.rows;
  }

  /** Sends BEGIN and the context before the first statement, and moves the pen where a statement wants the other. */
  private prepareFor(pen: Pen, client: PoolClient): void {
    if (this.pen === undefined) {
      void this.track(client.query('BEGIN'));
      void this.issue(client, SET_CONTEXT, settingValues(this.options.settings, pen));
    } else if (this.pen !== pen) {
      void this.issue(client, SET_PEN, [pen]);
    }
    this.pen = pen;
  }

  /** Everything issued in one turn of the event loop goes out in one socket write: ticks come after promises. */
  private async flight<T>(client: PoolClient, issue: () => Promise<T>): Promise<T> {
    const { stream } = client.connection;
    stream.cork();
    process.nextTick(() => stream.uncork());
    try {
      return await issue();
    } catch (error) {
      // After the first error of a transaction all others only say that it is aborted.
      throw this.failure ?? error;
    }
  }

  private issue<Row extends QueryResultRow>(
    client: PoolClient,
    text: string,
    values: readonly unknown[],
    options: QueryOptions = {},
  ): Promise<QueryResult<Row>> {
    const name = this.options.named && !options.isPlannedAnew ? statementName(text) : undefined;
    return this.track(client.query<Row>({ name, text, values: [...values] }));
  }

  /** A COMMIT of a failed transaction answers ROLLBACK without an error of its own. */
  private async issueCommit(client: PoolClient): Promise<void> {
    const { command } = await this.track(client.query('COMMIT'));
    if (command !== 'COMMIT') throw this.failure ?? new Error(`COMMIT answered ${command}`);
  }

  private track<T>(promise: Promise<T>): Promise<T> {
    this.sent.push(promise.catch((error: unknown) => this.fail(error)));
    return promise;
  }
}

/** Connections whose loss is heard. */
const heard = new WeakSet<PoolClient>();

/**
 * Takes a connection of the pool. The pool listens to idle ones only: without a listener, the loss of one between two
 * statements of a unit would end the process. Its next statement fails, and with it the unit.
 */
async function connect(pool: Pool): Promise<PoolClient> {
  const client = await pool.connect();
  if (!heard.has(client)) client.on('error', () => undefined);
  heard.add(client);
  return client;
}

/** An update whose values turn out equal ('5' for 5.00) changed nothing. */
function isRealChange(change: EntityChange): boolean {
  return change.action !== 'UPDATE' || Object.keys(change.new ?? {}).length > 0;
}

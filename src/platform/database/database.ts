import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Pool, QueryResultRow } from 'pg';
import type { DataSource, EntityMetadata, EntitySubscriberInterface, ObjectLiteral, QueryRunner } from 'typeorm';
import { Config } from '../config/config';
import { currentContext } from '../context/request-context';
import { AppError } from '../errors/app-error';
import type { ErrorCode } from '../errors/error-codes';
import { currentUnitOfWork } from './current-unit-of-work';
import { type EntityClass, type EntityRegistry, EntityStatementsCache, type Identified } from './entity-repository';
import { TenantConnectionSlots } from './driver/connection';
import { ContextSigner } from './context-signer';
import { UnitOfWork, type QueryOptions } from './unit-of-work';

/**
 * Checks the disk: the inner rows exceed work_mem, so PostgreSQL writes a temporary file of 56 kB and deletes it. A
 * full disk fails the probe. The probe leaves nothing to vacuum. Without an accepted context, row security would answer
 * each request with empty lists.
 */
const PROBE = `
  SELECT pg_is_in_recovery() AS "isInRecovery", current_setting('transaction_read_only') = 'on' AS "isReadOnly",
         EXISTS (SELECT FROM auth.context) AS "isContextAccepted", count(n) AS written
  FROM (SELECT set_config('work_mem', '64kB', true) AS memory OFFSET 0) small,
       LATERAL generate_series(1, 4000 + 0 * length(small.memory)) n`;

/** What a probe found. */
interface ProbeResult {
  readonly isInRecovery: boolean;
  readonly isReadOnly: boolean;
  /** False when PostgreSQL does not know the key that signs contexts. */
  readonly isContextAccepted: boolean;
}

/**
 * The database access of tenants; all their queries go through it. Each unit of work is one transaction of the login
 * gigvault_app. It carries the signed-in user's context, which PostgreSQL's row level security reads.
 * @throws AppError `auth.session_missing` before any SQL when no user is signed in
 */
@Injectable()
export class Database {
  /** Longest run of a statement of a request; shorter in tests. */
  statementTimeoutMs: number;
  private readonly entityStatements: EntityStatementsCache;
  private readonly entityRegistry: EntityRegistry;
  private readonly connectionSlots: TenantConnectionSlots;
  private readonly signer: ContextSigner;
  private changeListener: ((userId: number) => Promise<void>) | undefined;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: Config,
  ) {
    this.statementTimeoutMs = config.database.statementTimeoutMs;
    this.entityStatements = new EntityStatementsCache(dataSource);
    this.connectionSlots = new TenantConnectionSlots(config.database.poolSize, config.database.connectTimeoutMs);
    this.signer = new ContextSigner(config.contextKey, 'gigvault_app');
    this.entityRegistry = {
      statementsOf: (entity) => this.entityStatements.of(entity),
      queryRunnerFor: (unit) => this.queryRunnerFor(unit),
    };
  }

  /**
   * Runs one statement as a separate unit, in one round trip. Triggers audit its changes. Inside an open unit of the
   * same request it joins that unit, and `options` do not apply.
   */
  async query<Row extends QueryResultRow>(
    sql: string,
    values: readonly unknown[] = [],
    options?: QueryOptions,
  ): Promise<Row[]> {
    const ambient = currentUnitOfWork();
    return ambient ? ambient.query<Row>(sql, values) : this.beginForTenant().queryOnce<Row>(sql, values, options);
  }

  /** Runs the statement of a list or search like `query`, with the shorter timeout for lists. */
  list<Row extends QueryResultRow>(
    sql: string,
    values: readonly unknown[] = [],
    options?: QueryOptions,
  ): Promise<Row[]> {
    const timeoutMs = Math.min(this.config.database.listTimeoutMs, this.statementTimeoutMs);
    return this.query<Row>(sql, values, { ...options, statementTimeoutMs: timeoutMs });
  }

  /** Returns the tenant's row with this id, or null. To change it, find it in a unit with `lock`. */
  async find<E extends Identified>(entity: EntityClass<E>, id: number): Promise<E | null> {
    const statements = this.entityStatements.of(entity);
    const [row] = await this.query<ObjectLiteral>(statements.select(false), [id]);
    return row ? statements.hydrate(row) : null;
  }

  /**
   * Runs `work` as one transaction: returns its result after COMMIT, rethrows its error after ROLLBACK. Inside an open
   * unit of the same request it joins that unit. `work` must not call external services.
   */
  async transaction<T>(work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    const ambient = currentUnitOfWork();
    if (ambient) return this.join(ambient, work);
    const unit = this.beginForTenant();
    let result: T;
    try {
      result = await work(unit);
    } catch (error) {
      await unit.rollback();
      throw error;
    }
    await unit.commit();
    return result;
  }

  /**
   * Changes one row and returns its new state, in two round trips. Reads the row under a lock; `decide` returns the
   * changes or throws. The change, its audit row and COMMIT are sent together.
   * @throws AppError `notFound` when the tenant has no row with this id
   */
  async change<E extends Identified>(
    entity: EntityClass<E>,
    id: number,
    notFound: ErrorCode,
    decide: (row: E) => Partial<E>,
  ): Promise<E> {
    let changed: Promise<E> | undefined;
    await this.transaction(async (unit) => {
      const row = await lockRow(unit, entity, id, notFound);
      changed = unit.repository(entity).update(row, decide(row));
      // Not awaited here: a failure is thrown when the unit ends.
      changed.catch((error: unknown) => unit.fail(error));
    });
    return changed!;
  }

  /**
   * Deletes one row. Reads the row under a lock; `check` throws to keep it. One transaction, one audit row.
   * @throws AppError `notFound` when the tenant has no row with this id
   */
  remove<E extends Identified>(
    entity: EntityClass<E>,
    id: number,
    notFound: ErrorCode,
    check: (row: E) => void,
  ): Promise<void> {
    return this.transaction(async (unit) => {
      const row = await lockRow(unit, entity, id, notFound);
      check(row);
      await unit.repository(entity).remove(row);
    });
  }

  /**
   * Probes PostgreSQL as requests use it: as gigvault_app through the app's pool, but without a tenant. Fails when no
   * request could be served, or when the data disk is full.
   */
  async checkWritable(): Promise<ProbeResult> {
    const [row] = await this.newUnitOfWork(null).queryOnce<ProbeResult>(PROBE);
    return row!;
  }

  /** Returns TypeORM's metadata of a table; undefined for a table without an entity. */
  metadataOf(table: string): EntityMetadata | undefined {
    return this.dataSource.entityMetadatas.find(({ tableName }) => tableName === table);
  }

  /** Returns TypeORM's metadata of an entity. */
  metadataFor<E extends Identified>(entity: EntityClass<E>): EntityMetadata {
    return this.dataSource.getMetadata(entity);
  }

  /** Adds a TypeORM subscriber, which receives every later write of the entity API. */
  subscribe(subscriber: EntitySubscriberInterface): void {
    this.dataSource.subscribers.push(subscriber);
  }

  /**
   * Sets the listener that runs after the COMMIT of a tenant's unit that may have changed rows. The unit waits for it.
   * An error of the listener becomes the unit's error, although the change is committed.
   */
  afterChange(listener: (userId: number) => Promise<void>): void {
    this.changeListener = listener;
  }

  private beginForTenant(): UnitOfWork {
    const principal = currentContext()?.principal;
    if (!principal) throw new AppError('auth.session_missing');
    return this.newUnitOfWork(principal.userId);
  }

  private newUnitOfWork(userId: number | null): UnitOfWork {
    const { changeListener: listener, statementTimeoutMs } = this;
    return new UnitOfWork({
      pool: (this.dataSource.driver as unknown as { master: Pool }).master,
      acquireSlot: userId === null ? undefined : () => this.connectionSlots.acquire(userId),
      settings: { userId, reason: null, statementTimeoutMs },
      signer: this.signer,
      named: this.config.database.preparedStatements,
      entities: this.entityRegistry,
      afterChange: userId === null ? undefined : listener && (() => listener(userId)),
    });
  }

  private async join<T>(ambient: UnitOfWork, work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    try {
      return await work(ambient);
    } catch (error) {
      ambient.fail(error);
      throw error;
    }
  }

  /** Creates a query runner that never connects. It only passes the unit to TypeORM's subscribers. */
  private queryRunnerFor(unit: UnitOfWork): QueryRunner {
    const queryRunner = this.dataSource.createQueryRunner();
    queryRunner.data = { unit };
    return queryRunner;
  }
}

async function lockRow<E extends Identified>(
  unit: UnitOfWork,
  entity: EntityClass<E>,
  id: number,
  notFound: ErrorCode,
): Promise<E> {
  const row = await unit.repository(entity).find(id, { lock: true });
  if (!row) throw new AppError(notFound);
  return row;
}

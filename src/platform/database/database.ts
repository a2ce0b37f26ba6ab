import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Pool, QueryResultRow } from 'pg';
import type { DataSource, EntityMetadata, EntitySubscriberInterface, ObjectLiteral, QueryRunner } from 'typeorm';
import { Config } from '../config/config';
import { currentContext } from '../context/request-context';
import { AppError } from '../errors/app-error';
import type { ErrorCode } from '../errors/error-codes';
import { currentUnitOfWork } from './current-unit-of-work';
import type { EntityClass, EntityRegistry, Identified } from './entity-repository';
import { EntityStatementsCache } from './entity-statements';
import { TenantConnectionSlots } from './driver/connection';
import { UnitOfWork, type QueryOptions } from './unit-of-work';

/**
 * The rows of the inner query do not fit into the work_mem set beside it, so PostgreSQL writes them to a temporary file, 56 kB
 * on the disk of the data, and deletes it: a full disk fails the probe, and a probe leaves nothing to vacuum.
 */
const PROBE = `
  SELECT pg_is_in_recovery() AS "isInRecovery", current_setting('transaction_read_only') = 'on' AS "isReadOnly", count(n) AS written
  FROM (SELECT set_config('work_mem', '64kB', true) AS memory OFFSET 0) small,
       LATERAL generate_series(1, 4000 + 0 * length(small.memory)) n`;

/**
 * The data gate: the one place through which a tenant's queries go. Each unit of work is one transaction of the login
 * gigvault_app with the signed-in user's context in it, opened with its first statement and closed as soon as the work
 * returns; PostgreSQL's row level security does the rest.
 * @throws AppError `auth.session_missing` before any SQL when nobody is signed in
 */
@Injectable()
export class Database {
  private readonly entityStatements: EntityStatementsCache;
  private readonly entityRegistry: EntityRegistry;
  private readonly connectionSlots: TenantConnectionSlots;
  private changeListener: ((userId: number) => Promise<void>) | undefined;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: Config,
  ) {
    this.entityStatements = new EntityStatementsCache(dataSource);
    this.connectionSlots = new TenantConnectionSlots(config.database.poolSize, config.database.connectTimeoutMs);
    this.entityRegistry = {
      statementsOf: (entity) => this.entityStatements.of(entity),
      queryRunnerFor: (unit) => this.queryRunnerFor(unit),
    };
  }

  /**
   * Runs one statement as a unit of its own, in one round trip; what it changes is audited by the triggers. Inside an open
   * unit of the same request it joins that unit, whose plans are PostgreSQL's choice.
   */
  async query<Row extends QueryResultRow>(
    sql: string,
    values: readonly unknown[] = [],
    options?: QueryOptions,
  ): Promise<Row[]> {
    const ambient = currentUnitOfWork();
    return ambient ? ambient.query<Row>(sql, values) : this.beginForTenant().queryOnce<Row>(sql, values, options);
  }

  /** Runs the statement of a list or a search as `query` does, within the shorter time that such statements have. */
  list<Row extends QueryResultRow>(
    sql: string,
    values: readonly unknown[] = [],
    options?: QueryOptions,
  ): Promise<Row[]> {
    const { listTimeoutMs, statementTimeoutMs } = this.config.database;
    const timeoutMs = Math.min(listTimeoutMs, statementTimeoutMs);
    return this.query<Row>(sql, values, { ...options, statementTimeoutMs: timeoutMs });
  }

  /** The tenant's row with this id in one round trip, or null; to change it, find it again in a unit with `lock`. */
  async find<E extends Identified>(entity: EntityClass<E>, id: number): Promise<E | null> {
    const statements = this.entityStatements.of(entity);
    const [row] = await this.query<ObjectLiteral>(statements.select(false), [id]);
    return row ? statements.hydrate(row) : null;
  }

  /**
   * Runs `work` as one transaction: what it returns is returned after COMMIT, what it throws is thrown after ROLLBACK.
   * Inside an open unit of the same request it joins that unit. Never call the outside world in it.
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
   * Changes one row and returns it as it now is, in two round trips: it is read under a lock, `decide` says what of it
   * changes or throws, and the change leaves together with its audit row and COMMIT.
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
      const entities = unit.repository(entity);
      const row = await entities.find(id, { lock: true });
      if (!row) throw new AppError(notFound);
      changed = entities.update(row, decide(row));
      // Nobody waits for it here: the end of the unit throws what fails.
      changed.catch((error: unknown) => unit.fail(error));
    });
    return changed!;
  }

  /**
   * Asks PostgreSQL the way requests do, as gigvault_app through the app's own pool, but without a tenant. For readiness
   * probes: it fails whenever no request could be served, and when the disk of the data is full.
   */
  async checkWritable(): Promise<{ isInRecovery: boolean; isReadOnly: boolean }> {
    const [row] = await this.newUnitOfWork(null).queryOnce<{ isInRecovery: boolean; isReadOnly: boolean }>(PROBE);
    return row!;
  }

  /** What TypeORM knows of a table; undefined for one without an entity. */
  metadataOf(table: string): EntityMetadata | undefined {
    return this.dataSource.entityMetadatas.find(({ tableName }) => tableName === table);
  }

  /** Lets a TypeORM subscriber hear every write of the entity API from now on. */
  subscribe(subscriber: EntitySubscriberInterface): void {
    this.dataSource.subscribers.push(subscriber);
  }

  /**
   * Lets one listener hear, after COMMIT and before the unit's work returns, that a tenant's unit may have changed his
   * rows. What it throws would be the unit's error, though the change stands.
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
    const { changeListener: listener } = this;
    const { database } = this.config;
    return new UnitOfWork({
      pool: (this.dataSource.driver as unknown as { master: Pool }).master,
      acquireSlot: userId === null ? undefined : () => this.connectionSlots.acquire(userId),
      settings: { userId, reason: null, statementTimeoutMs: database.statementTimeoutMs },
      named: database.preparedStatements,
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

  /** Never connects: it only carries the unit to TypeORM's subscribers. */
  private queryRunnerFor(unit: UnitOfWork): QueryRunner {
    const queryRunner = this.dataSource.createQueryRunner();
    queryRunner.data = { unit };
    return queryRunner;
  }
}

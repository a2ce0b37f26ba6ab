import { isDeepStrictEqual } from 'node:util';
import type { DataSource, EntityMetadata, ObjectLiteral, QueryRunner } from 'typeorm';
import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata';
import { BroadcasterResult } from 'typeorm/subscriber/BroadcasterResult';
import { markHandled } from '../concurrency/fair-semaphore';
import type { UnitOfWork } from './unit-of-work';

/** An entity: an object with the numeric id from the database. */
export type Identified = ObjectLiteral & { readonly id: number };

/** A TypeORM entity class without constructor arguments. */
export type EntityClass<E> = new () => E;

/** TypeORM's side of entity work: compiled statements and a query runner that reaches the subscribers. */
export interface EntityRegistry {
  statementsOf<E extends Identified>(entity: EntityClass<E>): EntityStatements<E>;
  queryRunnerFor(unit: UnitOfWork): QueryRunner;
}

/** The unit of work as a repository uses it. */
interface UnitOfWorkHandle {
  send(sql: string, values: readonly unknown[]): Promise<ObjectLiteral[]>;
  expectChange(): void;
  /** Rows the unit locked or wrote. Only their old values are certain. */
  readonly lockedRows: WeakSet<Identified>;
}

/**
 * The rows of one entity inside a unit of work. Every write affects one known row, which the audit subscriber can
 * describe exactly. TypeORM's subscribers receive each write as from its own repository. `unit.query` writes sets of
 * rows, and triggers audit them.
 */
export class EntityRepository<E extends Identified> {
  constructor(
    private readonly statements: EntityStatements<E>,
    private readonly queryRunner: QueryRunner,
    private readonly unit: UnitOfWorkHandle,
  ) {}

  /**
   * Returns the row with this id; null when it does not exist or belongs to another tenant. `lock` locks the row until
   * the unit ends; `update` and `remove` need that.
   */
  find(id: number, options: { lock?: boolean } = {}): Promise<E | null> {
    return markHandled(this.findRow(id, options.lock ?? false));
  }

  /**
   * Inserts a row and returns it with defaults and generated columns. The tenant is not among the values: user_id
   * defaults to auth.unverified_uid(). An undefined value gets the column's default.
   */
  insert(values: Partial<E>): Promise<E> {
    return markHandled(this.insertRow(values));
  }

  /**
   * Updates a row found with `lock` and returns its new state. Writes only values that differ, or nothing at all. The
   * entity passed in keeps its old values; use the returned one for further writes. Subscribers are notified before the
   * statement is sent: the row is locked, so its new values are known and COMMIT need not wait for the answer.
   */
  update(entity: E, changes: Partial<E>): Promise<E> {
    return markHandled(this.updateRow(entity, changes));
  }

  /** Deletes a row found with `lock`. Triggers audit the rows deleted by foreign keys. */
  remove(entity: E): Promise<void> {
    return markHandled(this.removeRow(entity));
  }

  private async findRow(id: number, lock: boolean): Promise<E | null> {
    const [row] = await this.unit.send(this.statements.select(lock), [id]);
    if (!row) return null;
    const entity = this.statements.hydrate(row);
    if (lock) this.unit.lockedRows.add(entity);
    return entity;
  }

  private async insertRow(values: Partial<E>): Promise<E> {
    this.unit.expectChange();
    const columns = this.columnsOf(values);
    const parameters = columns.map((column) => toParameter(column, values[column.propertyName]));
    const [row] = await this.unit.send(this.statements.insert(columns), parameters);
    const entity = this.statements.hydrate(row!);
    this.unit.lockedRows.add(entity);
    await this.recordChange((broadcaster, result) =>
      broadcaster.broadcastAfterInsertEvent(result, this.statements.metadata, entity),
    );
    return entity;
  }

  private async updateRow(entity: E, changes: Partial<E>): Promise<E> {
    this.assertLocked(entity);
    const columns = this.columnsOf(changes).filter(
      (column) => !isSame(column, entity[column.propertyName], changes[column.propertyName]),
    );
    if (columns.length === 0) return entity;
    this.unit.lockedRows.delete(entity);
    this.unit.expectChange();
    const values = Object.fromEntries(columns.map((c) => [c.propertyName, changes[c.propertyName] as unknown]));
    const recorded = this.recordChange((broadcaster, result) => {
      const changed = this.statements.hydrate(entity, values);
      broadcaster.broadcastAfterUpdateEvent(result, this.statements.metadata, changed, entity, columns, []);
    });
    const parameters = columns.map((column) => toParameter(column, values[column.propertyName]));
    const [[row]] = await Promise.all([
      this.unit.send(this.statements.update(columns), [entity.id, ...parameters]),
      recorded,
    ]);
    if (!row) throw new Error(`${this.statements.table} ${entity.id}: a locked row was not updated`);
    const updated = this.statements.hydrate(entity, row);
    this.unit.lockedRows.add(updated);
    return updated;
  }

  private async removeRow(entity: E): Promise<void> {
    this.assertLocked(entity);
    this.unit.expectChange();
    const [row] = await this.unit.send(this.statements.delete(), [entity.id]);
    if (!row) throw new Error(`${this.statements.table} ${entity.id}: a locked row was not deleted`);
    await this.recordChange((broadcaster, result) =>
      broadcaster.broadcastAfterRemoveEvent(result, this.statements.metadata, undefined, entity, { id: entity.id }),
    );
  }

  private columnsOf(values: Partial<E>): ColumnMetadata[] {
    return Object.keys(values)
      .filter((property) => values[property] !== undefined)
      .map((property) => {
        const column = this.statements.writable.get(property);
        if (!column) throw new Error(`${this.statements.table}: ${property} cannot be written`);
        return column;
      });
  }

  private assertLocked(entity: E): void {
    if (!this.unit.lockedRows.has(entity))
      throw new Error(`${this.statements.table}: only a row found with { lock: true } can be written`);
  }

  private async recordChange(
    broadcast: (broadcaster: QueryRunner['broadcaster'], result: BroadcasterResult) => void,
  ): Promise<void> {
    const result = new BroadcasterResult();
    broadcast(this.queryRunner.broadcaster, result);
    if (result.promises.length > 0) await result.wait();
  }
}

/** Returns whether two values are equal in the column; '5' equals 5.00. */
function isSame({ type }: ColumnMetadata, before: unknown, after: unknown): boolean {
  if (type === 'numeric' && typeof before === 'string' && typeof after === 'string')
    return Number(before) === Number(after);
  return isDeepStrictEqual(before, after);
}

/** Serializes JSON values: pg would write a JavaScript array as a PostgreSQL array. */
function toParameter(column: ColumnMetadata, value: unknown): unknown {
  return value !== null && (column.type === 'jsonb' || column.type === 'json') ? JSON.stringify(value) : value;
}

/**
 * A row change of the entity API, as recorded by the audit subscriber. `old` and `new` are JSON texts with column names
 * as keys and values as in PostgreSQL's to_jsonb().
 */
export interface EntityChange {
  readonly table: string;
  readonly id: number;
  readonly action: 'INSERT' | 'UPDATE' | 'DELETE';
  readonly old: string | null;
  readonly new: string | null;
}

/** Returns the arguments of audit.record() for a change. */
export function auditParameters(change: EntityChange): unknown[] {
  return [change.table, change.id, change.action, change.old, change.new];
}

/** Columns the database sets on every write; they are not changes themselves. */
const GENERATED_COLUMNS = new Set(['updated_at', 'version']);

/** Columns the database sets once, on insert. */
const COLUMNS_BY_DATABASE = new Set(['id', 'user_id', 'created_at']);

/**
 * The SQL of one entity, compiled once from TypeORM's metadata. Statements return columns under property names, so rows
 * need no mapping (TypeORM's hydration costs several times the query's CPU).
 */
class EntityStatements<E extends Identified> {
  readonly table: string;
  /** Columns that a write may contain, without those only the database or the system writes. */
  readonly writable: ReadonlyMap<string, ColumnMetadata>;
  private readonly returning: string;
  /** Columns that change along: timestamps, versions, generated columns and those set by triggers. */
  private readonly following: readonly ColumnMetadata[];
  private readonly texts = new Map<string, string>();

  constructor(
    readonly entity: EntityClass<E>,
    readonly metadata: EntityMetadata,
  ) {
    this.table = metadata.tableName;
    const selected = metadata.columns.filter((column) => column.isSelect);
    this.returning = selectAs(selected);
    const changing = selected.filter((column) => !COLUMNS_BY_DATABASE.has(column.databaseName));
    const own = changing.filter(
      (column) => column.isUpdate && !column.asExpression && !GENERATED_COLUMNS.has(column.databaseName),
    );
    this.writable = new Map(own.map((column) => [column.propertyName, column]));
    this.following = changing.filter((column) => !own.includes(column));
  }

  select(lock: boolean): string {
    return `SELECT ${this.returning} FROM "${this.table}" WHERE "id" = $1${lock ? ' FOR UPDATE' : ''}`;
  }

  delete(): string {
    return `DELETE FROM "${this.table}" WHERE "id" = $1 RETURNING "id"`;
  }

  insert(columns: readonly ColumnMetadata[]): string {
    return this.text('insert', columns, (names) => {
      if (names.length === 0) return `INSERT INTO "${this.table}" DEFAULT VALUES RETURNING ${this.returning}`;
      const marks = names.map((_, i) => `$${i + 1}`).join(', ');
      return `INSERT INTO "${this.table}" (${names.join(', ')}) VALUES (${marks}) RETURNING ${this.returning}`;
    });
  }

  /** The statement returns only columns that may have changed: the other values are known. */
  update(columns: readonly ColumnMetadata[]): string {
    return this.text('update', columns, (names) => {
      const sets = names.map((name, i) => `${name} = $${i + 2}`).join(', ');
      const changed = new Set([...columns, ...this.following]);
      return `UPDATE "${this.table}" SET ${sets} WHERE "id" = $1 RETURNING ${selectAs([...changed])}`;
    });
  }

  /**
   * Builds the entity of a row; values of `later` win. A spread is the fastest copy in V8. Object.assign into a new
   * entity takes four times as long, also for each later copy of that entity.
   */
  hydrate(row: ObjectLiteral, later?: ObjectLiteral): E {
    return Object.setPrototypeOf({ ...row, ...later }, this.entity.prototype as object) as E;
  }

  private text(verb: string, columns: readonly ColumnMetadata[], build: (names: string[]) => string): string {
    const names = columns.map((column) => `"${column.databaseName}"`);
    const key = `${verb} ${names.join()}`;
    let text = this.texts.get(key);
    if (text === undefined) this.texts.set(key, (text = build(names)));
    return text;
  }
}

/** Lists columns under the names of their properties. */
function selectAs(columns: readonly ColumnMetadata[]): string {
  return columns.map((column) => `"${column.databaseName}" AS "${column.propertyName}"`).join(', ');
}

/** Compiles an entity's statements at its first use and keeps them. */
export class EntityStatementsCache {
  private readonly statements = new Map<EntityClass<Identified>, EntityStatements<Identified>>();

  constructor(private readonly dataSource: DataSource) {}

  of<E extends Identified>(entity: EntityClass<E>): EntityStatements<E> {
    let statements = this.statements.get(entity);
    if (!statements) {
      statements = new EntityStatements<Identified>(entity, this.dataSource.getMetadata(entity));
      this.statements.set(entity, statements);
    }
    return statements as unknown as EntityStatements<E>;
  }
}

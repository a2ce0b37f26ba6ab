import { isDeepStrictEqual } from 'node:util';
import type { ObjectLiteral, QueryRunner } from 'typeorm';
import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata';
import { BroadcasterResult } from 'typeorm/subscriber/BroadcasterResult';
import type { EntityStatements } from './entity-statements';
import { markHandled } from '../concurrency/mark-handled';
import type { UnitOfWork } from './unit-of-work';

/** What an entity of the gate is: an object with the numeric id the database gave it. */
export type Identified = ObjectLiteral & { readonly id: number };

/** A TypeORM entity class without constructor arguments. */
export type EntityClass<E> = new () => E;

/** Gives a unit what its entity work needs from TypeORM: compiled statements and a runner that reaches the subscribers. */
export interface EntityRegistry {
  statementsOf<E extends Identified>(entity: EntityClass<E>): EntityStatements<E>;
  queryRunnerFor(unit: UnitOfWork): QueryRunner;
}

/** How entity work reaches the unit it belongs to. */
interface UnitOfWorkHandle {
  send(sql: string, values: readonly unknown[]): Promise<ObjectLiteral[]>;
  expectChange(): void;
  /** Rows that it read under a lock or wrote: only of those the old values are certain. */
  readonly lockedRows: WeakSet<Identified>;
}

/**
 * The rows of one entity inside a unit of work: only what the audit subscriber can describe exactly, so every write is
 * of one known row. TypeORM's subscribers hear each write as they would from its own repository. Sets of rows are
 * written by `unit.query`, which the triggers audit.
 */
export class EntityRepository<E extends Identified> {
  constructor(
    private readonly statements: EntityStatements<E>,
    private readonly queryRunner: QueryRunner,
    private readonly unit: UnitOfWorkHandle,
  ) {}

  /**
   * The row with this id, or null when there is none or it is another tenant's. With `lock` the row is held until the
   * unit ends, which `update` and `remove` ask for.
   */
  find(id: number, options: { lock?: boolean } = {}): Promise<E | null> {
    return markHandled(this.findRow(id, options.lock ?? false));
  }

  /**
   * Inserts a row and returns it as the database made it, defaults and generated columns included. The tenant is never
   * among the values: user_id defaults to auth.uid(). Values of undefined are left to the column's default.
   */
  insert(values: Partial<E>): Promise<E> {
    return markHandled(this.insertRow(values));
  }

  /**
   * Changes a row found with `lock` and returns it as it now is; values equal to the old ones are no change, and with
   * none left nothing is written. The entity passed in keeps its old values and is not written again: the one returned
   * is. Subscribers hear of it before it is sent: the row is locked, so what it will be is known, and the unit need
   * not wait for the answer before COMMIT.
   */
  update(entity: E, changes: Partial<E>): Promise<E> {
    return markHandled(this.updateRow(entity, changes));
  }

  /** Deletes a row found with `lock`; rows that go with it by a foreign key are audited by the triggers. */
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
    const told = this.recordChange((broadcaster, result) => {
      const changed = this.statements.hydrate(entity, values);
      broadcaster.broadcastAfterUpdateEvent(result, this.statements.metadata, changed, entity, columns, []);
    });
    const parameters = columns.map((column) => toParameter(column, values[column.propertyName]));
    const [[row]] = await Promise.all([
      this.unit.send(this.statements.update(columns), [entity.id, ...parameters]),
      told,
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
        if (!column) throw new Error(`${this.statements.table}: ${property} is not written by hand`);
        return column;
      });
  }

  private assertLocked(entity: E): void {
    if (!this.unit.lockedRows.has(entity))
      throw new Error(`${this.statements.table}: only a row found with { lock: true } is written`);
  }

  private async recordChange(
    broadcast: (broadcaster: QueryRunner['broadcaster'], result: BroadcasterResult) => void,
  ): Promise<void> {
    const result = new BroadcasterResult();
    broadcast(this.queryRunner.broadcaster, result);
    if (result.promises.length > 0) await result.wait();
  }
}

/** '5' is 5.00, and no change of it. */
function isSame({ type }: ColumnMetadata, before: unknown, after: unknown): boolean {
  if (type === 'numeric' && typeof before === 'string' && typeof after === 'string')
    return Number(before) === Number(after);
  return isDeepStrictEqual(before, after);
}

/** pg writes a JavaScript array as a PostgreSQL array; JSON columns want their text. */
function toParameter(column: ColumnMetadata, value: unknown): unknown {
  return value !== null && (column.type === 'jsonb' || column.type === 'json') ? JSON.stringify(value) : value;
}

/**
 * A row changed through the entity API, as the audit subscriber tells it to the unit of work. `old` and `new` are JSON
 * objects as text, keys are column names, values as PostgreSQL's to_jsonb() writes them.
 */
export interface EntityChange {
  readonly table: string;
  readonly id: number;
  readonly action: 'INSERT' | 'UPDATE' | 'DELETE';
  readonly old: string | null;
  readonly new: string | null;
}

/** Returns the arguments of audit.record() that tell of a change. */
export function auditParameters(change: EntityChange): unknown[] {
  return [change.table, change.id, change.action, change.old, change.new];
}

import type { DataSource, EntityMetadata, ObjectLiteral } from 'typeorm';
import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata';
import type { EntityClass, Identified } from './entities';

/** Kept by the database on every write: they follow from the change and are none themselves. */
const BOOKKEEPING = new Set(['updated_at', 'version']);

/** Given by the database once: the identity, the tenant (auth.uid()) and the time of birth. */
const GIVEN = new Set(['id', 'user_id', 'created_at']);

/**
 * The SQL of one entity, compiled once from TypeORM's metadata. Every statement returns whole rows under property names,
 * so a row becomes an entity without a mapping step (TypeORM's own hydration costs several times the query's CPU).
 */
export class EntityStatements<E extends Identified> {
  readonly table: string;
  /** Columns that a write may name; those the database generates are not among them. */
  readonly writable: ReadonlyMap<string, ColumnMetadata>;
  private readonly returning: string;
  private readonly texts = new Map<string, string>();

  constructor(
    readonly entity: EntityClass<E>,
    readonly metadata: EntityMetadata,
  ) {
    this.table = metadata.tableName;
    const selected = metadata.columns.filter((column) => column.isSelect);
    this.returning = selected.map((c) => `"${c.databaseName}" AS "${c.propertyName}"`).join(', ');
    const own = selected.filter((column) => !column.asExpression && !BOOKKEEPING.has(column.databaseName));
    this.writable = new Map(own.filter((c) => !GIVEN.has(c.databaseName)).map((c) => [c.propertyName, c]));
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

  update(columns: readonly ColumnMetadata[]): string {
    return this.text('update', columns, (names) => {
      const sets = names.map((name, i) => `${name} = $${i + 2}`).join(', ');
      return `UPDATE "${this.table}" SET ${sets} WHERE "id" = $1 RETURNING ${this.returning}`;
    });
  }

  /** The row as an entity. */
  hydrate(row: ObjectLiteral): E {
    return Object.assign(new this.entity(), row);
  }

  private text(verb: string, columns: readonly ColumnMetadata[], build: (names: string[]) => string): string {
    const names = columns.map((column) => `"${column.databaseName}"`);
    const key = `${verb} ${names.join()}`;
    let text = this.texts.get(key);
    if (text === undefined) this.texts.set(key, (text = build(names)));
    return text;
  }
}

/** Compiles an entity's statements at its first use and keeps them. */
export class EntityStatementsCache {
  private readonly known = new Map<EntityClass<Identified>, EntityStatements<Identified>>();

  constructor(private readonly dataSource: DataSource) {}

  of<E extends Identified>(entity: EntityClass<E>): EntityStatements<E> {
    let statements = this.known.get(entity);
    if (!statements) {
      statements = new EntityStatements<Identified>(entity, this.dataSource.getMetadata(entity));
      this.known.set(entity, statements);
    }
    return statements as unknown as EntityStatements<E>;
  }
}

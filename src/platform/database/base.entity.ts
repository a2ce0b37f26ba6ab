import type { Type } from '@nestjs/common';
import { Column, type ColumnOptions, getMetadataArgsStorage, PrimaryColumn } from 'typeorm';

/** Declares an amount of money: numeric(10,2), read as a decimal string. The currency is another column. */
export function MoneyColumn(name: string, options: ColumnOptions = {}): PropertyDecorator {
  return Column({ type: 'numeric', name, precision: 10, scale: 2, nullable: true, ...options });
}

/** Declares an instant: timestamptz, read as a Date. */
export function InstantColumn(name: string, options: ColumnOptions = {}): PropertyDecorator {
  return Column({ type: 'timestamptz', name, ...options });
}

/**
 * The columns of every tenant row. Only the database writes them. The tenant defaults to auth.unverified_uid() and is
 * checked by policy.
 */
export abstract class BaseEntity {
  @PrimaryColumn('bigint', { generated: 'identity', generatedIdentity: 'ALWAYS' })
  readonly id: number;

  @Column('bigint', { name: 'user_id' })
  readonly userId: number;

  @InstantColumn('created_at', { default: () => 'now()' })
  readonly createdAt: Date;
}

/**
 * Returns the columns of these properties of an entity, without a connection.
 * @throws Error for a property without a column
 */
export function mapToColumns(entity: Type, properties: readonly string[]): ReadonlyMap<string, string> {
  const declared = getMetadataArgsStorage().columns.filter(
    ({ target }) => typeof target === 'function' && (target === entity || entity.prototype instanceof target),
  );
  const names = new Map(declared.map(({ propertyName, options }) => [propertyName, options.name ?? propertyName]));
  return new Map(
    properties.map((property) => {
      const column = names.get(property);
      if (column === undefined) throw new Error(`${entity.name} has no column for ${property}`);
      return [property, column];
    }),
  );
}

/** Returns a select list of these properties of an entity: each column under the name of its property. */
export function buildSelectList(entity: Type, properties: readonly string[]): string {
  return [...mapToColumns(entity, properties)]
    .map(([property, column]) => (property === column ? column : `${column} AS "${property}"`))
    .join(', ');
}

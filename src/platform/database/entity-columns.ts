import type { Type } from '@nestjs/common';
import { getMetadataArgsStorage } from 'typeorm';

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

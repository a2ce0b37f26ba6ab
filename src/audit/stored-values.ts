import type { ObjectLiteral } from 'typeorm';
import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata';

const DECIMAL = /^-?\d+(\.\d+)?$/;

/**
 * Returns the columns' values as the JSON object, as text, that PostgreSQL's to_jsonb() makes of the row: decimals are
 * numbers with all their places, instants in UTC to the millisecond. So both pens of the audit write one form, and
 * audit.record() need not take apart what it is told.
 */
export function storedValues(entity: ObjectLiteral, columns: readonly ColumnMetadata[]): string {
  let members = '';
  for (const { databaseName, propertyName, type } of columns) {
    members += `${members && ','}"${databaseName}":${storedValue(entity[propertyName], type)}`;
  }
  return `{${members}}`;
}

function storedValue(value: unknown, type: ColumnMetadata['type']): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'boolean') return String(value);
  if (value instanceof Date)
    return `"${value.toISOString().replace(/(?:\.000|(?<=\.\d)00|(?<=\.\d\d)0)?Z$/, '+00:00')}"`;
  // JSON.stringify would make it a string, and Number() would lose places past the 15th digit.
  if (type === 'numeric' && typeof value === 'string' && DECIMAL.test(value)) return value;
  return JSON.stringify(value);
}

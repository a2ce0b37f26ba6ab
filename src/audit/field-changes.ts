import type { FieldChange } from './dto/change.dto';

/** What the audit must know of a column to show its values as the API does. */
export interface AuditedColumn {
  readonly field: string;
  readonly kind: 'money' | 'instant' | 'plain';
  /** Decimal places of money. */
  readonly places: number;
}

/** A row as audit_logs keeps it: column names, PostgreSQL's JSON of the values. */
type StoredValues = Readonly<Record<string, unknown>> | null;

/** Name the record and its owner, which the caller knows; source_key follows from the other fields. */
const GIVEN = new Set(['id', 'user_id', 'source_key']);

/**
 * Returns what changed under the API's field names and in the API's forms: money as a decimal string, times in
 * milliseconds of UTC. Fields that are null before and after are no change.
 * @param columnOf what is known of a column; undefined for a table without an entity, whose columns go by their names
 */
export function fieldChanges(
  before: StoredValues,
  after: StoredValues,
  columnOf: (column: string) => AuditedColumn | undefined,
): Record<string, FieldChange> {
  const columns = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  const changes = columns
    .filter((column) => !GIVEN.has(column))
    .map((column): [string, FieldChange] => {
      const known = columnOf(column) ?? byName(column);
      return [known.field, { old: shown(before?.[column], known), new: shown(after?.[column], known) }];
    });
  return Object.fromEntries(changes.filter(([, change]) => change.old !== null || change.new !== null));
}

function byName(column: string): AuditedColumn {
  const field = column.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return { field, kind: column.endsWith('_at') ? 'instant' : 'plain', places: 0 };
}

function shown(value: unknown, { kind, places }: AuditedColumn): unknown {
  if (value === undefined || value === null) return null;
  if (kind === 'money' && typeof value === 'number') return value.toFixed(places);
  if (kind === 'instant' && typeof value === 'string') return asInstant(value);
  return value;
}

/** A redacted instant stays what it is. */
function asInstant(value: string): string {
  const instant = new Date(value);
  return Number.isNaN(instant.getTime()) ? value : instant.toISOString();
}

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
export function toldChange(change: EntityChange): unknown[] {
  return [change.table, change.id, change.action, change.old, change.new];
}

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

/** Returns the argument of audit.record() that tells of these changes. */
export function toldChanges(changes: readonly EntityChange[]): string {
  const told = changes.map(
    (change) =>
      `{"table":"${change.table}","id":${change.id},"action":"${change.action}","old":${change.old},"new":${change.new}}`,
  );
  return `[${told.join()}]`;
}

/** A row changed through the entity API, as the audit subscriber tells it to the unit of work; keys are column names. */
export interface EntityChange {
  readonly table: string;
  readonly id: number;
  readonly action: 'INSERT' | 'UPDATE' | 'DELETE';
  readonly old: Record<string, unknown> | null;
  readonly new: Record<string, unknown> | null;
}

/** The tables of the model. Deleting a job deletes its proposals, and its messages lose it. */
export type TableName = 'jobs' | 'templates' | 'messages' | 'proposals';

type Row = Readonly<Record<string, unknown>>;

/** One row of audit_logs as the model expects it. */
export interface AuditedChange {
  readonly table: TableName;
  readonly id: number;
  readonly action: 'INSERT' | 'UPDATE' | 'DELETE';
  readonly old: Row | null;
  readonly new: Row | null;
}

/** The state of the model at one time. */
interface SavedModel {
  readonly rows: ReadonlyMap<string, Row>;
  readonly changes: readonly AuditedChange[];
}

/** The rows of a user as they must be, and the audit rows that their changes must leave. */
export class RowModel {
  private rows = new Map<string, Row>();
  private changes: AuditedChange[] = [];

  /** @param ignored the columns of each table that the audit ignores */
  constructor(private readonly ignored: ReadonlyMap<string, readonly string[]>) {}

  save(): SavedModel {
    return { rows: new Map(this.rows), changes: [...this.changes] };
  }

  restore({ rows, changes }: SavedModel): void {
    this.rows = new Map(rows);
    this.changes = [...changes];
  }

  /** Returns the changes since the last call, those of a row in their order. */
  takeChanges(): AuditedChange[] {
    const changes = this.changes.map((change, i) => ({ change, i }));
    this.changes = [];
    return changes
      .sort((left, right) => compareChanges(left.change, right.change) || left.i - right.i)
      .map(({ change }) => change);
  }

  /** Returns ids of up to `count` rows. */
  pick(table: TableName, count: number): number[] {
    const ids = [...this.rows.keys()]
      .filter((key) => key.startsWith(`${table} `))
      .map((key) => Number(key.split(' ')[1]));
    const start = Math.floor(Math.random() * Math.max(1, ids.length - count));
    return ids.slice(start, start + count);
  }

  hasProposal(job: number): boolean {
    return [...this.rows].some(([key, row]) => key.startsWith('proposals ') && row['job_id'] === job);
  }

  /** @param returned the rows that the statement returned */
  insert(table: TableName, returned: readonly { row: Row }[]): void {
    for (const { row } of returned) this.store(table, this.strip(table, row));
  }

  update(table: TableName, returned: readonly { row: Row }[]): void {
    for (const { row } of returned) this.store(table, this.strip(table, row));
  }

  delete(table: TableName, returned: readonly { row: Row }[]): void {
    for (const { row } of returned) this.remove(table, row['id'] as number);
  }

  private remove(table: TableName, id: number): void {
    const old = this.rows.get(`${table} ${id}`)!;
    this.rows.delete(`${table} ${id}`);
    this.changes.push({ table, id, action: 'DELETE', old, new: null });
    if (table !== 'jobs') return;
    for (const [key, row] of [...this.rows]) {
      if (row['job_id'] !== id) continue;
      if (key.startsWith('proposals ')) this.remove('proposals', row['id'] as number);
      else this.store('messages', { ...row, job_id: null });
    }
  }

  private store(table: TableName, row: Row): void {
    const id = row['id'] as number;
    const old = this.rows.get(`${table} ${id}`);
    this.rows.set(`${table} ${id}`, row);
    if (!old) {
      this.changes.push({ table, id, action: 'INSERT', old: null, new: row });
      return;
    }
    const changed = Object.keys(row).filter((name) => JSON.stringify(row[name]) !== JSON.stringify(old[name]));
    if (changed.length === 0) return;
    const only = (from: Row): Row => Object.fromEntries(changed.map((name) => [name, from[name]]));
    this.changes.push({ table, id, action: 'UPDATE', old: only(old), new: only(row) });
  }

  private strip(table: TableName, row: Row): Row {
    const ignored = this.ignored.get(table) ?? [];
    return Object.fromEntries(Object.entries(row).filter(([name]) => !ignored.includes(name)));
  }
}

function compareChanges(left: AuditedChange, right: AuditedChange): number {
  return left.id - right.id || left.table.localeCompare(right.table);
}

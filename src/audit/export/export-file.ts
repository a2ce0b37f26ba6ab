import { createHash } from 'node:crypto';
import type { ExportFormat, ExportLogsDto } from './audit-export.dto';
import { BYTE_ORDER_MARK, formatCsvLine } from './csv-lines';
import type { ChangeRow, EventRow, ExportHead } from './export.queries';

/** Whose rows a file contains: those of one user, or all rows of both logs. */
type ExportScope = 'account' | 'installation';

/** A type of rows. Evidence is an event outside of the range that explains what is gone. */
type RowType = 'change' | 'event' | 'evidence';

/** The place of a row in the tree, null for a row that is not sealed yet. */
export interface SealedAt {
  readonly leafIndex: number | null;
  readonly proof: readonly string[] | null;
}

const CHANGE_COLUMNS = [
  ...['id', 'createdAt', 'userId', 'table', 'recordId', 'action', 'actorKind', 'actorId', 'requestId', 'operation'],
  ...['reason', 'ipAddress', 'oldValues', 'newValues'],
];

/** The columns of CSV. */
const COLUMNS: Readonly<Record<ExportScope, readonly string[]>> = {
  account: CHANGE_COLUMNS,
  installation: ['log', ...CHANGE_COLUMNS, 'eventType', 'success', 'userAgent', 'details'],
};

/** A file as it is streamed: its lines, their number and the hash of its bytes. README.md has the types of lines. */
export class ExportFile {
  /** Rows of the range. */
  rows = 0;
  private readonly hash = createHash('sha256');

  constructor(
    private readonly scope: ExportScope,
    private readonly format: ExportFormat,
  ) {}

  /** Returns the first line. */
  begin({ from, to }: ExportLogsDto, { verifierKey, checkpoint }: ExportHead, userId: number | null): string {
    if (this.format === 'csv') return this.add(BYTE_ORDER_MARK + formatCsvLine(COLUMNS[this.scope]));
    const range = { from: from ?? null, to: to ?? null, exportedAt: new Date() };
    const header = { type: 'header', format: 'gigvault-audit-export/1', scope: this.scope, userId, ...range };
    return this.add(toLine({ ...header, verifierKey, checkpoint }));
  }

  /** Returns the line of entries of the tree; `start` is the index of the first one. */
  addEntries(start: number, entries: Buffer): string {
    return this.add(toLine({ type: 'entries', start, entries: entries.toString('base64') }));
  }

  /** Returns the lines of rows; those of an account have places. */
  addRows(type: RowType, rows: readonly (ChangeRow | EventRow)[], places?: readonly SealedAt[]): string {
    if (type !== 'evidence') this.rows += rows.length;
    const lines =
      this.format === 'csv'
        ? rows.map((row) => this.toCsvLine({ log: type === 'change' ? 'audit' : 'security', ...row }))
        : rows.map((row, i) => toLine({ type, ...row, ...places?.[i] }));
    return this.add(lines.join(''));
  }

  /** Returns the last line, which shows that the file is complete. CSV has none. */
  end(): string {
    return this.format === 'csv' ? '' : toLine({ type: 'end', rows: this.rows, sha256: this.digest() });
  }

  /** Returns SHA-256 over all bytes before the last line. */
  digest(): string {
    return this.hash.copy().digest('hex');
  }

  private toCsvLine(row: Readonly<Partial<Record<string, string | number | boolean | null>>>): string {
    return formatCsvLine(COLUMNS[this.scope].map((column) => row[column] ?? null));
  }

  private add(text: string): string {
    this.hash.update(text);
    return text;
  }
}

function toLine(members: object): string {
  return `${JSON.stringify(members)}\n`;
}

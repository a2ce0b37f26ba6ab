import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { currentContext, runInContext } from '../../platform/context/request-context';
import { type AdminReader, SystemDatabase } from '../../platform/database/system-database';
import { AppError } from '../../platform/errors/app-error';
import { ENTRY_BYTES } from '../seals/tree-entries';
import type { LogExport } from './account-export.service';
import type { ExportLogsDto } from './audit-export.dto';
import { ExportFile } from './export-file';
import {
  buildPage,
  type ChangeRow,
  type EventRow,
  type ExportHead,
  FIND_HEAD,
  FIND_UNSEALED_EVIDENCE,
  LIST_CHANGES,
  LIST_ENTRIES,
  LIST_EVENTS,
  LIST_EVIDENCE,
} from './export.queries';

/** Rows per page. Each page is its own transaction, so that a slow reader keeps none open. */
const PAGE_ROWS = 1_000;

/** Limit of the entries of a line. */
const LINE_BYTES = 10_000 * ENTRY_BYTES;

/** Exports both logs of the whole installation. */
@Injectable()
export class InstallationExportService {
  constructor(private readonly system: SystemDatabase) {}

  /**
   * Returns the file as a stream: all entries of the tree, by which deleted rows are found, then the rows of the range,
   * oldest first. It contains each row that the checkpoint covers. The stream ends with an error when rows are erased
   * or removed meanwhile. Memory: one page. Session: admin. Side effects: the event `system.admin`, and after the last
   * byte another one with the number of rows and the hash of the file.
   * @throws AppError `auth.forbidden`; `audit.not_sealed` before the first seal, or when an erasure is not sealed yet
   */
  async export(query: ExportLogsDto): Promise<LogExport> {
    const context = { ...currentContext()! };
    const view = await this.system.openAdminView('export the audit and security logs');
    // The stream is read when the socket has room, outside the request's context.
    const read: AdminReader = (work) => runInContext(context, () => view(work));
    const [head] = await read((unit) => unit.query<ExportHead>(FIND_HEAD));
    if (!head || (await hasUnsealedEvidence(read, head))) throw new AppError('audit.not_sealed');
    const finish = (reason: string): Promise<void> =>
      runInContext(context, () => this.system.asAdmin(reason, () => Promise.resolve()));
    const lines = generate(query, head, read, finish);
    return { checkpoint: head.checkpoint, stream: Readable.from(lines, { objectMode: false }) };
  }
}

async function* generate(
  query: ExportLogsDto,
  head: ExportHead,
  read: AdminReader,
  finish: (reason: string) => Promise<void>,
): AsyncGenerator<string> {
  const file = new ExportFile('installation', query.format);
  yield file.begin(query, head, null);
  if (query.format === 'ndjson') {
    for await (const { start, entries } of readEntries(head, read)) yield file.addEntries(start, entries);
    for await (const rows of readRows<EventRow>(LIST_EVIDENCE, query, read)) yield file.addRows('evidence', rows);
  }
  for await (const rows of readRows<EventRow>(LIST_EVENTS, query, read)) yield file.addRows('event', rows);
  for await (const rows of readRows<ChangeRow>(LIST_CHANGES, query, read)) yield file.addRows('change', rows);
  if (await hasUnsealedEvidence(read, head))
    throw new Error('rows of the logs were erased or removed during their export: repeat it');
  await finish(`exported the audit and security logs: ${file.rows} rows, SHA-256 ${file.digest()}`);
  yield file.end();
}

async function hasUnsealedEvidence(read: AdminReader, head: ExportHead): Promise<boolean> {
  return (await read((unit) => unit.query(FIND_UNSEALED_EVIDENCE, [head.id]))).length > 0;
}

async function* readEntries(head: ExportHead, read: AdminReader): AsyncGenerator<{ start: number; entries: Buffer }> {
  let start = 0;
  for (let after = 0; after < head.id;) {
    const seals = await read((unit) => unit.query<{ id: number; entries: Buffer }>(LIST_ENTRIES, [after, head.id]));
    const last = seals.at(-1);
    if (!last) return;
    const all = Buffer.concat(seals.map(({ entries }) => entries));
    for (let at = 0; at < all.length; at += LINE_BYTES) {
      const entries = all.subarray(at, at + LINE_BYTES);
      yield { start, entries };
      start += entries.length / ENTRY_BYTES;
    }
    after = last.id;
  }
}

async function* readRows<Row extends ChangeRow | EventRow>(
  sql: string,
  range: ExportLogsDto,
  read: AdminReader,
): AsyncGenerator<Row[]> {
  let last: Row | undefined;
  do {
    const values = buildPage(range, last, PAGE_ROWS);
    const rows = await read((unit) => unit.query<Row>(sql, values));
    if (rows.length > 0) yield rows;
    last = rows.length === PAGE_ROWS ? rows.at(-1) : undefined;
  } while (last);
}

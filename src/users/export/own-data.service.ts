import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { SecurityEvents } from '../../auth/security-events.service';
import { SessionsService } from '../../auth/sessions.service';
import { Throttle } from '../../auth/throttle.service';
import { currentContext, runInContext } from '../../platform/context/request-context';
import { Database } from '../../platform/database/database';
import { AppError } from '../../platform/errors/app-error';
import { EXPORT_SECTIONS, SECRET_COLUMNS, type ExportSection } from './export-sections';
import { GENERATED_COLUMNS, readSection, type ExportedRow } from './export.queries';

/** Rows of one page: a page is a transaction of its own, so that a slow reader holds none open. */
const PAGE_ROWS = 500;

/** Everything the system holds on the signed-in user, as one file. */
@Injectable()
export class OwnData {
  constructor(
    private readonly database: Database,
    private readonly sessions: SessionsService,
    private readonly throttle: Throttle,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * Returns the file as a stream of JSON: one member a table, then the sessions, then `"complete": true`, without which
   * the file was cut off. Rows written meanwhile may be in it or not. Memory: one page. Session: user. Side effects: the
   * event `user.export`.
   * @throws AppError `auth.throttled`, `auth.session_missing`
   */
  async export(): Promise<Readable> {
    const context = currentContext();
    if (!context?.principal) throw new AppError('auth.session_missing');
    const { userId, sessionId } = context.principal;
    await this.throttle.takeExport(userId);
    await this.events.record('user.export', { success: true, userId, sessionId });
    const generated = await this.generatedColumns();
    // The stream is read when the socket has room, outside of the request's own context.
    const within = <T>(work: () => Promise<T>): Promise<T> => runInContext({ ...context }, work);
    return Readable.from(this.write(userId, generated, within), { objectMode: false });
  }

  private async *write(userId: number, generated: Generated, within: Within): AsyncGenerator<string> {
    yield `{"exportedAt":${JSON.stringify(new Date())},"userId":${userId}`;
    for (const section of EXPORT_SECTIONS) {
      yield `,\n${JSON.stringify(section.name)}:[`;
      yield* this.rowsOf(section, generated.get(section.table) ?? new Set(), within);
      yield ']';
    }
    yield `,\n"sessions":${JSON.stringify(await within(() => this.sessions.list(userId)))}`;
    yield ',\n"complete":true}\n';
  }

  private async *rowsOf(
    section: ExportSection,
    generated: ReadonlySet<string>,
    within: Within,
  ): AsyncGenerator<string> {
    let after: readonly string[] | null = null;
    for (;;) {
      const page: ExportedRow[] = await within(() =>
        this.database.query<ExportedRow>(...readSection(section, after, PAGE_ROWS)),
      );
      const texts = page.map((row) => JSON.stringify(shown(row, generated)));
      if (texts.length > 0) yield (after === null ? '\n' : ',\n') + texts.join(',\n');
      const last = page.at(-1);
      if (!last || page.length < PAGE_ROWS) return;
      after = last.sort_keys;
    }
  }

  private async generatedColumns(): Promise<Generated> {
    const tables = EXPORT_SECTIONS.map(({ table }) => table);
    const rows = await this.database.query<{ table: string; columns: string[] }>(GENERATED_COLUMNS, [tables]);
    return new Map(rows.map(({ table, columns }) => [table, new Set(columns)]));
  }
}

type Generated = ReadonlyMap<string, ReadonlySet<string>>;
type Within = <T>(work: () => Promise<T>) => Promise<T>;

function shown(row: ExportedRow, generated: ReadonlySet<string>): Record<string, unknown> {
  const columns = Object.entries(row).filter(
    ([name]) => name !== 'sort_keys' && !generated.has(name) && !SECRET_COLUMNS.has(name),
  );
  return Object.fromEntries(
    columns.map(([name, value]) => [name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()), value]),
  );
}

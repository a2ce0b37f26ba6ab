import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { currentContext, runInContext } from '../../platform/context/request-context';
import { Database } from '../../platform/database/database';
import type { UnitOfWork } from '../../platform/database/unit-of-work';
import { AppError } from '../../platform/errors/app-error';
import { createTileReader } from '../seals/audit-sealer';
import { MerkleTree, type TileReader } from '../seals/merkle-tree';
import type { ExportLogsDto } from './audit-export.dto';
import { ExportFile, type SealedAt } from './export-file';
import { buildPage, type ChangeRow, type ExportHead, FIND_HEAD, FIND_LEAVES, LIST_OWN_CHANGES } from './export.queries';

/** Rows per page. Each page is its own transaction, so that a slow reader keeps none open. */
const PAGE_ROWS = 1_000;

const UNSEALED: SealedAt = { leafIndex: null, proof: null };

/** A file that is being streamed, and the head of the tree that covers it. */
export interface LogExport {
  readonly checkpoint: string;
  readonly stream: Readable;
}

/** Exports the audit log of the signed-in user. */
@Injectable()
export class AccountExportService {
  constructor(private readonly database: Database) {}

  /**
   * Returns the file as a stream, oldest row first. It contains each row that the checkpoint covers; rows that are
   * written meanwhile may be missing. Memory: one page. Session: user. Side effects: the events
   * `account.audit_exported`, and after the last byte `account.audit_export_completed` with the number of rows and the
   * hash of the file.
   * @throws AppError `auth.session_missing`; `audit.not_sealed` before the first seal
   */
  async export(query: ExportLogsDto): Promise<LogExport> {
    const context = currentContext();
    const [head] = await this.database.query<ExportHead>(FIND_HEAD);
    if (!context?.principal) throw new AppError('auth.session_missing');
    if (!head) throw new AppError('audit.not_sealed');
    const { format, from, to } = query;
    await this.recordEvent('account.audit_exported', { format, from, to });
    // The stream is read when the socket has room, outside the request's context.
    const runInRequest = <T>(work: () => Promise<T>): Promise<T> => runInContext({ ...context }, work);
    const lines = this.generate(context.principal.userId, query, head, runInRequest);
    return { checkpoint: head.checkpoint, stream: Readable.from(lines, { objectMode: false }) };
  }

  private async *generate(
    userId: number,
    { format, from, to }: ExportLogsDto,
    head: ExportHead,
    runInRequest: <T>(work: () => Promise<T>) => Promise<T>,
  ): AsyncGenerator<string> {
    const file = new ExportFile('account', format);
    yield file.begin({ format, from, to }, head, userId);
    let last: ChangeRow | undefined;
    do {
      const keys = buildPage({ from, to }, last, PAGE_ROWS);
      const page = await runInRequest(() =>
        this.database.transaction(async (unit) => {
          const rows = await unit.query<ChangeRow>(LIST_OWN_CHANGES, keys);
          return { rows, places: format === 'csv' ? [] : await findPlaces(unit, rows, head) };
        }),
      );
      if (page.rows.length > 0) yield file.addRows('change', page.rows, page.places);
      last = page.rows.length === PAGE_ROWS ? page.rows.at(-1) : undefined;
    } while (last);
    await runInRequest(() =>
      this.recordEvent('account.audit_export_completed', { format, rows: file.rows, sha256: file.digest() }),
    );
    yield file.end();
  }

  private async recordEvent(type: string, details: Readonly<Record<string, unknown>>): Promise<void> {
    const { principal, requestId, ip, userAgent } = currentContext()!;
    await this.database.query('SELECT auth.log_event($1, $2, true, $3, $4, $5)', [
      type,
      principal!.userId,
      ip,
      userAgent,
      JSON.stringify({ ...details, requestId }),
    ]);
  }
}

/** Returns the places of rows in the tree of a seal. */
async function findPlaces(unit: UnitOfWork, rows: readonly ChangeRow[], head: ExportHead): Promise<SealedAt[]> {
  const found = await unit.query<{ rowId: number; leafIndex: number }>(FIND_LEAVES, [
    rows.map(({ id }) => id),
    head.id,
  ]);
  const leaves = new Map(found.map(({ rowId, leafIndex }) => [rowId, leafIndex]));
  const tree = new MerkleTree(head.treeSize, keepTiles(createTileReader(unit)));
  return Promise.all(
    rows.map(async ({ id }): Promise<SealedAt> => {
      const leafIndex = leaves.get(id);
      if (leafIndex === undefined) return UNSEALED;
      const path = await tree.proveInclusion(leafIndex);
      return { leafIndex, proof: path.map((each) => each.toString('base64')) };
    }),
  );
}

/** Returns a reader that reads each tile once. */
function keepTiles(read: TileReader): TileReader {
  const tiles = new Map<string, Promise<Buffer>>();
  return (level, index) => {
    const name = `${level}/${index}`;
    let tile = tiles.get(name);
    if (!tile) tiles.set(name, (tile = read(level, index)));
    return tile;
  };
}

import type { SystemDatabase } from '../../platform/database/system-database';
import type { UnitOfWork } from '../../platform/database/unit-of-work';
import { ENTRY_BYTES, type LogName, readId, readLog } from '../seals/tree-entries';
import type { StreamLine, StreamTarget } from './stream-targets';

/** Rows that are sent at once. */
const BATCH_ROWS = 1_000;

/** Seals that one statement reads. */
const SEALS_AT_ONCE = 100;

const FIND_POSITION = 'SELECT next_leaf AS "nextLeaf" FROM audit.stream_positions WHERE target = $1';

const STORE_POSITION = `
  INSERT INTO audit.stream_positions (target, next_leaf) VALUES ($1, $2)
  ON CONFLICT (target) DO UPDATE SET next_leaf = EXCLUDED.next_leaf, updated_at = clock_timestamp()`;

/** Lists entries from the index $1, at most $2 of each seal. */
const LIST_ENTRIES = `
  SELECT substr(entries, ((start - first) * ${ENTRY_BYTES} + 1)::integer, $2 * ${ENTRY_BYTES}) AS entries
  FROM (
    SELECT id, entries, tree_size - octet_length(entries) / ${ENTRY_BYTES} AS first,
      greatest(tree_size - octet_length(entries) / ${ENTRY_BYTES}, $1) AS start
    FROM audit.seals WHERE tree_size > $1 ORDER BY id LIMIT ${SEALS_AT_ONCE}
  ) AS s ORDER BY id`;

const LIST_ROWS = 'SELECT log, id, body FROM audit.stream_rows($1::bigint[], $2::bigint[])';

/** Milliseconds from 1970 to 2000, from which PostgreSQL counts. */
const EPOCH_MS = Date.UTC(2000, 0, 1);

/** Sends sealed rows of both logs to a target, in the order of the tree. Session: gigvault_worker. */
export class LogStream {
  private isReconciled = false;

  /** @param name the address of the target; its position is stored under it */
  constructor(
    private readonly database: SystemDatabase,
    private readonly target: StreamTarget,
    private readonly name: string,
  ) {}

  /**
   * Sends up to 1,000 rows, stores the position and returns their number. A row is sent again when the process ends
   * between the two, unless the target is a file, whose last line is read first.
   * @throws Error when the target is away; the position stays
   */
  async sendNext(): Promise<number> {
    // No event is logged: it would be sent at the next run, which would log the next one.
    const lines = await this.database.asScheduler(async (unit) => {
      const [stored] = await unit.query<{ nextLeaf: number }>(FIND_POSITION, [this.name]);
      const position = await this.reconcile(unit, stored?.nextLeaf ?? 0);
      return readLines(unit, await readEntries(unit, position), position);
    });
    if (lines.length === 0) return 0;
    await this.target.send(lines);
    const next = lines.at(-1)!.leafIndex + 1;
    await this.database.asScheduler((unit) => unit.query(STORE_POSITION, [this.name, next]));
    return lines.length;
  }

  /** Moves the position behind the last line of the target, if that is a row of this log. Once per run. */
  private async reconcile(unit: UnitOfWork, position: number): Promise<number> {
    if (this.isReconciled) return position;
    this.isReconciled = true;
    const last = await this.target.findLast();
    if (!last || last.leafIndex < position) return position;
    const [entry] = await readEntries(unit, last.leafIndex);
    return entry?.toString('base64') === last.entry ? last.leafIndex + 1 : position;
  }
}

/** Returns the entries from an index. */
async function readEntries(unit: UnitOfWork, position: number): Promise<Buffer[]> {
  const seals = await unit.query<{ entries: Buffer }>(LIST_ENTRIES, [position, BATCH_ROWS]);
  const entries: Buffer[] = [];
  // A seal that was not read to its end fills the batch.
  for (const { entries: bytes } of seals)
    for (let at = 0; at < bytes.length; at += ENTRY_BYTES) entries.push(bytes.subarray(at, at + ENTRY_BYTES));
  return entries.slice(0, BATCH_ROWS);
}

async function readLines(unit: UnitOfWork, entries: readonly Buffer[], position: number): Promise<StreamLine[]> {
  const listIds = (log: LogName): number[] =>
    entries.filter((entry) => readLog(entry, 0) === log).map((entry) => readId(entry, 0));
  type Row = { readonly log: string; readonly id: number; readonly body: object };
  const rows = await unit.query<Row>(LIST_ROWS, [listIds('audit'), listIds('security')]);
  const bodies = new Map(rows.map(({ log, id, body }) => [`${log} ${id}`, body]));
  return entries.map((entry, i) => {
    const log = readLog(entry, 0) ?? null;
    const id = readId(entry, 0);
    const body = bodies.get(`${log} ${id}`) ?? { isRemoved: true };
    return { leafIndex: position + i, entry: entry.toString('base64'), log, id, at: readTime(entry), ...body };
  });
}

/** Returns the time of an entry, UTC with microseconds. */
function readTime(entry: Buffer): string {
  const microseconds = Number(entry.readBigInt64BE(9));
  const seconds = Math.floor(microseconds / 1_000_000);
  const fraction = String(microseconds - seconds * 1_000_000).padStart(6, '0');
  return `${new Date(EPOCH_MS + seconds * 1_000).toISOString().slice(0, 19)}.${fraction}Z`;
}

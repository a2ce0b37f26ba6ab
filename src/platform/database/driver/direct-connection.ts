import { Client, types } from 'pg';

const { builtins } = types;

/** The character code of 0. */
const ZERO = 48;

function toSafeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} does not fit a JSON number`);
  return value;
}

/**
 * Parses an instant to milliseconds, in a quarter of the time of V8's parser. Sessions use UTC. pg parses other
 * formats, and the years before 100, which Date.UTC counts from 1900.
 */
function toInstant(text: string): unknown {
  if (text[10] !== ' ' || text.startsWith('00') || !text.endsWith('+00')) return builtIn(builtins.TIMESTAMPTZ)(text);
  const [year, month, day] = [
    readTwoDigits(text, 0) * 100 + readTwoDigits(text, 2),
    readTwoDigits(text, 5),
    readTwoDigits(text, 8),
  ];
  const [hour, minute, second] = [readTwoDigits(text, 11), readTwoDigits(text, 14), readTwoDigits(text, 17)];
  const milliseconds = text[19] === '.' ? Number(text.slice(20, -3).slice(0, 3).padEnd(3, '0')) : 0;
  return new Date(Date.UTC(year, month - 1, day, hour, minute, second, milliseconds));
}

function readTwoDigits(text: string, at: number): number {
  return text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 11 * ZERO;
}

const parsers = new Map<number, (text: string) => unknown>([
  [builtins.INT8, toSafeInteger],
  [builtins.TIMESTAMPTZ, toInstant],
  // A calendar day has no zone; pg's default is midnight in the server's zone.
  [builtins.DATE, (text: string) => text],
]);

function builtIn(oid: number, format?: 'text' | 'binary'): (text: string) => unknown {
  return types.getTypeParser(oid, format === 'binary' ? 'binary' : 'text') as (text: string) => unknown;
}

/**
 * The parsers of column values for every connection: bigint → number (error above 2^53), numeric → string (money keeps
 * its decimals), timestamptz → Date, date → 'YYYY-MM-DD', json and jsonb parsed.
 * @see https://node-postgres.com/features/types
 */
export const pgTypes = {
  getTypeParser: (oid: number, format?: 'text' | 'binary'): ((value: string) => unknown) =>
    (format !== 'binary' ? parsers.get(oid) : undefined) ?? builtIn(oid, format),
};

/** A connection outside `Database` and `SystemDatabase`, with the login of its URL. */
export interface DirectConnection {
  /** Runs one statement, or several without values. Returns the rows of the last one. */
  query<Row extends object>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

/**
 * Opens a connection for `work` and closes it. For work outside a request: backups and restore checks. Values are
 * parsed as below.
 * @param url may contain a login with any rights; the caller is responsible for that
 */
export async function withDirectConnection<T>(
  url: string,
  work: (connection: DirectConnection) => Promise<T>,
): Promise<T> {
  const client = new Client({
    connectionString: url,
    types: pgTypes,
    application_name: 'gigvault backups',
    keepAlive: true,
  });
  // The next statement reports a lost connection; without a listener the process would end.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work({
      query: async <Row extends object>(sql: string, values?: readonly unknown[]) => {
        const result: unknown = await client.query(sql, values && [...values]);
        const last = Array.isArray(result) ? (result.at(-1) as { rows: Row[] }) : (result as { rows: Row[] });
        return last.rows;
      },
    });
  } finally {
    await client.end().catch(() => undefined);
  }
}

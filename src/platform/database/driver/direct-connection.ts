import { Client } from 'pg';
import { pgTypes } from './pg-types';

/** A connection outside `Database` and `SystemDatabase`, with the login of its URL. */
export interface DirectConnection {
  /** Runs one statement, or several without values. Returns the rows of the last one. */
  query<Row extends object>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

/**
 * Opens a connection for `work` and closes it. For work outside a request: backups and restore checks. Values are
 * parsed as in pg-types.ts.
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

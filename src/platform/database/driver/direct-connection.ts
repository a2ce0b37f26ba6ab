import { Client } from 'pg';
import { pgTypes } from './pg-types';

/** A connection outside of the gates, as the login of its address. */
export interface DirectConnection {
  /** Runs one statement, or several without values; returns the rows of the last. */
  query<Row extends object>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

/**
 * Gives `work` a connection of its own, and closes it. For what is no request of anybody and has its own login or its own
 * cluster: a backup's snapshot, a restored copy. Values come as pg-types.ts says.
 * @param url may name a login with any rights: whoever calls this answers for that
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
  // The statement that finds the connection lost tells of it; without a listener the process would end.
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

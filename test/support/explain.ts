import type { TestDatabase } from './postgres';

/** The plan of a statement as the login of the API gets it for that tenant. */
export function explainAs(db: TestDatabase, userId: number, sql: string, values: unknown[] = []): Promise<string> {
  return db.transaction('app', async (client) => {
    await client.query(`SELECT set_config('app.user_id', $1, true)`, [String(userId)]);
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${sql}`, values);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  });
}

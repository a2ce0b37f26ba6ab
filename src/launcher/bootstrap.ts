import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { projectRoot } from './project-root';
import { LOGIN_ROLES, type Role } from './roles';
import { assertKnownSchema } from './unknown-schema';

/**
 * Creates a database unless it exists, and runs docker/postgres/bootstrap.sql in it: roles, their passwords,
 * extensions, who may connect. May be run any number of times; without `passwords` they stay as they are.
 *
 * `urlOf` gives the superuser's URL of a database of that cluster.
 * @throws UnknownSchemaError when another version has migrated the database
 */
export async function bootstrapDatabase(
  urlOf: (database: string) => string,
  database: string,
  passwords?: Record<Role, string>,
): Promise<void> {
  await withClient(urlOf('postgres'), async (client) => {
    // The server writes the statement: it knows how to quote a name.
    const { rows } = await client.query<{ statement: string }>(
      `SELECT format('CREATE DATABASE %I', $1::text) AS statement
       WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = $1)`,
      [database],
    );
    for (const { statement } of rows) await client.query(statement);
  });
  await withClient(urlOf(database), async (client) => {
    await assertKnownSchema(async (sql) => (await client.query<Record<string, unknown>>(sql)).rows);
    for (const role of passwords ? LOGIN_ROLES : []) {
      await client.query('SELECT set_config($1, $2, false)', [`gigvault.password_${role}`, passwords?.[role]]);
    }
    await client.query(readFileSync(join(projectRoot(), 'docker', 'postgres', 'bootstrap.sql'), 'utf8'));
  });
}

/** Runs some work on a connection of its own and closes it. */
export async function withClient<T>(connectionString: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

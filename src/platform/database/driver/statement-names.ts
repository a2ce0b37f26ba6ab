import { Client, DatabaseError } from 'pg';
import type { Config } from '../../config/config';
import { ConfigError } from '../../config/load-config';
import { connectionOptions } from './role-pools';

/** Past this many texts something builds SQL from values; those run unnamed rather than fill the server's memory. */
const MAX_NAMES = 500;

const names = new Map<string, string>();

/**
 * The name under which a statement's text is prepared on each connection, or undefined once 500 texts have one. A named
 * statement is parsed and planned once a connection, which a third of a short read's time goes to otherwise.
 */
export function statementName(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined) return known;
  if (names.size >= MAX_NAMES) return undefined;
  const name = `gv${names.size + 1}`;
  names.set(text, name);
  return name;
}

const WRITES = /\b(?:INSERT INTO|(?<!FOR (?:NO KEY )?)UPDATE|DELETE FROM|MERGE INTO)\b/i;

/** Whether a statement's text says that it writes. What a function that it calls may write is not seen. */
export function isWriting(text: string): boolean {
  return WRITES.test(text);
}

const STATEMENT = { name: 'gigvault_check', text: 'SELECT 1' };

/** SQLSTATEs of a statement's name that is unknown, or known already, on the server connection. */
const NAME_STATES = new Set(['26000', '42P05']);

/**
 * Checks that a statement named in one transaction can be used in the next. Behind a pooler in transaction mode the
 * next transaction may run on another connection of the server: while a second client holds the first one's, it must.
 * @throws ConfigError that says which setting to change
 */
export async function assertNamedStatements(config: Config): Promise<void> {
  const [first, second] = [1, 2].map(() =>
    new Client({
      ...connectionOptions(config),
      connectionString: config.database.urls.app,
      application_name: 'gigvault check',
      query_timeout: config.database.statementTimeoutMs,
    }).on('error', () => undefined),
  ) as [Client, Client];
  try {
    await first.connect();
    await second.connect();
    await first.query(STATEMENT);
    await second.query('BEGIN');
    await second.query(STATEMENT);
    await first.query(STATEMENT);
  } catch (error) {
    if (!(error instanceof DatabaseError && NAME_STATES.has(error.code ?? ''))) throw error;
    throw new ConfigError([
      'DATABASE_PREPARED_STATEMENTS: must be false, for DATABASE_URL leads to a pooler in transaction mode that does ' +
        'not keep named prepared statements. PgBouncer 1.21 or newer with max_prepared_statements above 0 keeps them.',
    ]);
  } finally {
    await Promise.all([first.end(), second.end()]);
  }
}

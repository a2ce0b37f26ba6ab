import { randomBytes } from 'node:crypto';
import { Client, DatabaseError } from 'pg';
import type { Config } from '../../config/config';
import { ConfigError } from '../../config/load-config';
import { connectionOptions } from './role-pools';

/** More texts mean SQL built from values. Those run unnamed, to protect the server's memory. */
const MAX_NAMES = 500;

const names = new Map<string, string>();

/**
 * Starts all names of this process. Random, because SQL that guesses a name could replace the statement on a pooled
 * connection; bootstrap.sql hides the list of prepared statements.
 */
const PREFIX = `gv_${randomBytes(12).toString('base64url')}_`;

/**
 * Returns the name for preparing a statement's text, or undefined once 500 texts have a name. A named statement is
 * parsed and planned once per connection; that takes a third of a short read's time.
 */
export function statementName(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined) return known;
  if (names.size >= MAX_NAMES) return undefined;
  const name = `${PREFIX}${names.size + 1}`;
  names.set(text, name);
  return name;
}

const WRITES = /\b(?:INSERT INTO|(?<!FOR (?:NO KEY )?)UPDATE|DELETE FROM|MERGE INTO)\b/i;

/** Returns whether a statement's text contains a write. Writes of functions it calls are not detected. */
export function isWriting(text: string): boolean {
  return WRITES.test(text);
}

/** A SELECT without writes and without a call of Gigvault's own functions, which may write. */
const READS = /^\s*(?:SELECT|WITH)\b(?![^]*\b(?:(?:app|audit)\.\w+|auth\.(?!context\b|uid\b)\w+|refresh_\w+)\()/i;

const readOnly = new Map<string, boolean>();

/**
 * Returns whether a statement gets the short context of a read. Remembers the answer of the first 500 texts. PostgreSQL
 * refuses a write that is wrongly taken for a read (audit.refuse_short_context), so no audit row is incomplete.
 */
export function isReadOnly(text: string): boolean {
  const known = readOnly.get(text);
  if (known !== undefined) return known;
  const answer = READS.test(text) && !isWriting(text);
  if (readOnly.size < MAX_NAMES) readOnly.set(text, answer);
  return answer;
}

const STATEMENT = { name: 'gigvault_check', text: 'SELECT 1' };

/** SQLSTATEs of a statement name that is unknown, or already used, on the server connection. */
const NAME_STATES = new Set(['26000', '42P05']);

/**
 * Checks that a statement named in one transaction can be used in the next. A pooler in transaction mode may change the
 * server connection between the two. A second client occupies the first connection, so that the pooler must change it.
 * @throws ConfigError with the setting to change
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
      'DATABASE_PREPARED_STATEMENTS: must be false, because DATABASE_URL leads to a pooler in transaction mode ' +
        'without named prepared statements. ' +
        'PgBouncer 1.21 or newer with max_prepared_statements above 0 supports them.',
    ]);
  } finally {
    await Promise.all([first.end(), second.end()]);
  }
}

/** What became of the rows of one statement that were not left as they are. */
export interface StoredRow {
  readonly created: boolean;
}

/**
 * Batches of one tenant are stored one after the other, so that two files naming the same jobs in different orders
 * cannot deadlock. A batch that finds another at work does not wait for it here, with a connection in hand.
 */
export const TRY_LOCK_IMPORTS = `
  SELECT pg_try_advisory_xact_lock(hashtextextended('jobs.import', (SELECT auth.uid()))) AS "isLocked"`;

const RECORD = `r (source_key text, upwork_job_id text, title text, description text, budget_min numeric, budget_max numeric,
  hourly_rate_min numeric, hourly_rate_max numeric, currency text, skills text[], category text, subcategory text,
  country text, client_info jsonb, job_type text, experience_level text, duration text, workload text, status text,
  is_favorite boolean)`;

const CONTENT = [
  'title',
  'description',
  'budget_min',
  'budget_max',
  'hourly_rate_min',
  'hourly_rate_max',
  'currency',
  'skills',
  'category',
  'subcategory',
  'country',
  'client_info',
  'job_type',
  'experience_level',
  'duration',
  'workload',
];

const INSERTED = ['source_key', 'upwork_job_id', ...CONTENT, 'status', 'is_favorite'].join(', ');

/**
 * xmax is 0 in a row this statement made, and its transaction's id in one it changed; a row that says the same comes not
 * at all. The order of the rows is kept, so that ids follow the file.
 */
const STORE_JOBS = `
  INSERT INTO jobs (${INSERTED}, fetched_at)
  SELECT ${INSERTED}, CASE WHEN $2 THEN now() END FROM json_to_recordset($1) AS ${RECORD}
  ON CONFLICT (user_id, source_key) DO UPDATE SET ${CONTENT.map((column) => `${column} = EXCLUDED.${column}`).join(', ')}
  WHERE (${CONTENT.map((column) => `jobs.${column}`).join(', ')})
    IS DISTINCT FROM (${CONTENT.map((column) => `EXCLUDED.${column}`).join(', ')})
  RETURNING (xmax = 0) AS created`;

/**
 * Returns the statement that makes the jobs that are new and changes those that are not; each job may come once. New ones
 * that were fetched from Upwork say so.
 * @param json an array of JobRecord; PostgreSQL takes bytes as the binary form of json, which is its text
 */
export function storeJobs(json: Buffer, isFetched: boolean): [sql: string, values: unknown[]] {
  return [STORE_JOBS, [json, isFetched]];
}

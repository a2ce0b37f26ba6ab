import type { Client } from 'pg';
import { type Role, withClient } from '../../src/local-services/database-setup';

/** The sizes of the data set. */
export interface DataSize {
  readonly users: number;
  /** Jobs of all those users together, skewed: the first users have most. */
  readonly jobs: number;
  /** Jobs of one further user; 0 for none. */
  readonly largeTenantJobs: number;
  /** Multiplies the users; each further user has as many jobs as one of the first. */
  readonly times?: number;
  /** Jobs were created within 365 days before this instant, which is fixed by default. */
  readonly from?: string;
}

/** A migrated database to fill. */
export interface Fillable {
  /** Returns a connection URL of the role. */
  buildUrl(role: Role, database?: string): string;
}

/** Titles contain `project0` and so on; each word is in one of this number of jobs. */
export const RARE_WORDS = 2_000;

/** Returns the email address of the n-th user, from 1. */
export function buildEmail(user: number): string {
  return `user${user}@bench.example`;
}

/**
 * Creates users and jobs by set-based SQL, the same for the same size: seemingly random values are hashes of row
 * numbers. A user's jobs have consecutive ids, so that a program that can only count can request them. Triggers are
 * disabled meanwhile, so there is no audit, and the indexes are built afterwards, as a restore would.
 */
export async function createDataSet(
  services: Fillable,
  size: DataSize,
  passwordHash: string,
  database?: string,
): Promise<void> {
  const { users, times = 1, jobs, largeTenantJobs } = size;
  await withClient(services.buildUrl('superuser', database), async (client) => {
    await client.query(
      `SET session_replication_role = replica; SET synchronous_commit = off; SET maintenance_work_mem = '256MB'`,
    );
    await client.query(
      // No session was ended, so a session of one database is valid in all.
      `INSERT INTO users (email, encrypted_password, first_name, last_name, role, is_verified, sessions_valid_from)
       SELECT 'user' || n || '@bench.example', $2, 'Ann', 'Other', 'user', true, '2025-01-01Z'
       FROM generate_series(1, $1::int) n ORDER BY n`,
      [users * times + 1, passwordHash],
    );
    await withoutIndexes(client, () =>
      client.query(JOBS, [users, jobs, largeTenantJobs, RARE_WORDS, times, size.from ?? '2025-01-01Z']),
    );
    await client.query('VACUUM ANALYZE');
  });
  await withClient(services.buildUrl('superuser', database), (client) =>
    client.query('SELECT refresh_user_job_stats()'),
  );
}

const JOBS = `
  WITH weights AS (
    SELECT n, power(n + 10, -0.8) AS weight FROM generate_series(1, $1::int) n
  ), shares AS (
    SELECT n, greatest(20, round($2::int * weight / sum(weight) OVER ()))::int AS jobs FROM weights
  ), owners AS (
    SELECT n + $1 * again AS n, jobs FROM shares, generate_series(0, $5::int - 1) again
    UNION ALL SELECT $1 * $5 + 1, $3::int
  ), words AS (
    SELECT array_agg(word ORDER BY n) AS all
    FROM (SELECT n, 'word' || n AS word FROM generate_series(0, 999) n) w
  ), sentences AS (
    SELECT array_agg(sentence ORDER BY s) AS all
    FROM (
      SELECT s, string_agg(words.all[1 + abs(hashint8extended(s * 100 + w, 1) % 1000)], ' ') AS sentence
      FROM generate_series(1, 500) s, generate_series(1, 12) w, words GROUP BY s
    ) made
  )
  INSERT INTO jobs (user_id, source_key, upwork_job_id, title, description, budget_min, budget_max, currency, skills,
    category, country, client_info, job_type, experience_level, status, is_favorite, created_at, updated_at)
  SELECT n, 'upwork:~' || row, '~' || row,
    'Project' || h3 % $4::int || ' ' || words.all[1 + h1 % 1000] || ' ' || words.all[1 + h2 % 1000],
    sentences.all[1 + h1 % 500] || '. ' || sentences.all[1 + h2 % 500] || '. ' || sentences.all[1 + h3 % 500] || '.',
    50 * (1 + h1 % 40), 50 * (1 + h1 % 40) + 100 * (h2 % 20), 'USD',
    ARRAY['skill' || floor(power(h1 % 1000 / 1000.0, 2) * 60), 'skill' || (60 + h2 % 20), 'skill' || (80 + h3 % 20)],
    'Category ' || h1 % 12, 'Country ' || h2 % 40, jsonb_build_object('rating', 3 + h1 % 20 / 10.0, 'hires', h2 % 100),
    (ARRAY['fixed', 'hourly'])[1 + h3 % 2], (ARRAY['entry', 'intermediate', 'expert'])[1 + h2 % 3],
    (ARRAY['active', 'active', 'active', 'archived'])[1 + h1 % 4], h3 % 10 = 0, born, born
  FROM owners, words, sentences, generate_series(1, jobs) k,
  LATERAL (SELECT n::bigint * 10000000 + k AS row) numbered,
  LATERAL (
    SELECT abs(hashint8extended(row, 1)) AS h1, abs(hashint8extended(row, 2)) AS h2, abs(hashint8extended(row, 3)) AS h3
  ) hashes,
  LATERAL (SELECT $6::timestamptz + h1 % 31536000 * interval '1 s' AS born) times
  ORDER BY n, k`;

/** Returns the indexes of jobs that implement no constraint; they are built when all rows exist. */
async function withoutIndexes(client: Client, work: () => Promise<unknown>): Promise<void> {
  const { rows } = await client.query<{ indexname: string; indexdef: string }>(
    `SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'jobs'
     AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = format('%I.%I', schemaname, indexname)::regclass)`,
  );
  for (const { indexname } of rows) await client.query(`DROP INDEX ${indexname}`);
  await work();
  for (const { indexdef } of rows) await client.query(indexdef);
}

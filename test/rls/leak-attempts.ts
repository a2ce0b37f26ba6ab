import type { Attempt } from './attempts';

/** Makes the planner run a condition first. */
const CHEAP = 'SET cpu_operator_cost = 0';
const LEAKED = `SELECT current_setting('my.leak', true)`;

const keep = (value: string): string =>
  `set_config('my.leak', coalesce(current_setting('my.leak', true), '') || ${value}, false) <> ''`;

/** Returns the attempt to see rows in a condition that the planner may run before the policy's. */
function leak(name: string, from: string, condition: string, before: readonly string[] = [CHEAP]): Attempt {
  return { name, sql: [...before, `SELECT FROM ${from} WHERE ${condition}`, LEAKED], expected: 'clean' };
}

/** Returns the attempt to see a value in an error. */
function fail(name: string, sql: string, expected: string): Attempt {
  // The end of the session rolls back.
  return { name: `an error with ${name}`, sql: [CHEAP, 'BEGIN', sql], expected };
}

/**
 * What gigvault_app tries with the valid context of its own tenant, to see rows of another by functions and operators:
 * the operators that bootstrap.sql marks as leakproof, and the functions behind them.
 */
export const LEAK_ATTEMPTS: readonly Attempt[] = [
  leak('set_config in a condition', 'jobs j', keep('j::text')),
  leak('set_config at the default cost', 'jobs j', keep('j::text'), []),
  leak('set_config of messages', 'messages m', keep('m::text')),
  leak('set_config of accounts', 'users', keep('email')),
  leak('set_config of the audit', 'audit_logs a', keep('a::text')),
  leak('set_config of statistics', 'tenant_job_stats s', keep('s::text')),
  leak('set_config of the context', 'auth.context c', keep('c::text')),
  leak('an argument of @>', 'jobs', `skills @> CASE WHEN ${keep('title')} THEN '{}'::text[] END`),
  leak('an argument of &&', 'jobs', `skills && CASE WHEN ${keep('title')} THEN '{x}'::text[] END`),
  leak('an argument of @@', 'jobs', `search @@ CASE WHEN ${keep('title')} THEN 'x'::tsquery END`),
  leak('an argument of >=', 'jobs', `client_spent >= CASE WHEN ${keep('title')} THEN 1 END`),
  leak('an index condition and another', 'jobs', `skills @> '{sql}' AND ${keep('title')}`, [
    CHEAP,
    'SET enable_seqscan = off',
  ]),
  leak('a join', 'jobs j JOIN generate_series(1, 2) n ON true', keep('j.title || n')),
  leak('a join by nested loops', 'generate_series(1, 2) n, jobs j', keep('j.title || n'), [
    CHEAP,
    'SET enable_hashjoin = off',
    'SET enable_mergejoin = off',
  ]),
  leak('a lateral join', `users u, LATERAL (SELECT * FROM jobs WHERE user_id = u.id OFFSET 0) j`, keep('j.title')),
  leak('a subquery', `(SELECT * FROM jobs) j`, keep('j.title')),
  leak('a union', `(SELECT title FROM jobs UNION ALL SELECT name FROM templates) j`, keep('j.title')),
  leak('a parallel plan', 'jobs', keep('title'), [
    CHEAP,
    'SET force_parallel_mode = on',
    'SET parallel_setup_cost = 0',
    'SET min_parallel_table_scan_size = 0',
  ]),
  leak('row comparison', 'jobs', `(title, id) > (CASE WHEN ${keep('title')} THEN '' END, 0)`),
  leak('a prepared generic plan', 'jobs', keep('title'), [CHEAP, 'SET plan_cache_mode = force_generic_plan']),
  leak('a sample of the table', 'jobs TABLESAMPLE SYSTEM (100)', keep('title')),
  leak('a column of the system', 'jobs', keep('ctid::text || tableoid || title')),
  fail('a title', 'SELECT FROM jobs WHERE title::integer > 0', '22P02'),
  fail('an address', `SELECT FROM users WHERE email::uuid IS NOT NULL`, '22P02'),
  fail('a division', 'SELECT FROM jobs WHERE 1 / (user_id - $bob) IS NOT NULL', 'clean'),
  fail('a division in an order', 'SELECT FROM jobs ORDER BY 1 / (user_id - $bob)', 'clean'),
  fail('an overflow', 'SELECT FROM jobs WHERE (client_spent * 1e14)::bigint > 0', 'clean'),
  fail('a date', 'SELECT FROM messages WHERE content::date IS NOT NULL', '22007'),
  fail('JSON', 'SELECT FROM jobs WHERE title::json IS NOT NULL', '22P02'),
  fail('a pattern', `SELECT FROM jobs WHERE 'x' ~ ('(' || title)`, '2201B'),
  fail('a query of words', `SELECT FROM jobs WHERE search @@ (title || '&')::tsquery`, '42601'),
  fail('an array of another type', 'SELECT FROM jobs WHERE skills::integer[] @> ARRAY[1]', '22P02'),
  fail(
    'a foreign key',
    'INSERT INTO proposals (job_id) SELECT min(id) FROM pg_class, LATERAL (SELECT $bob AS id) b',
    '23503',
  ),
  fail('a unique key', `INSERT INTO jobs (user_id, source_key, title) VALUES ($bob, 'upwork:b0b', 'x')`, '42501'),
  fail(
    'a conflict',
    `INSERT INTO jobs (source_key, title) VALUES ('upwork:b0b', 'x') ON CONFLICT DO NOTHING RETURNING title`,
    'clean',
  ),
  { name: 'a row of another tenant', sql: 'SELECT * FROM jobs WHERE user_id = $bob', expected: 'none' },
  {
    name: 'a change of a row of another tenant',
    sql: `UPDATE jobs SET title = 'x' WHERE user_id = $bob RETURNING id`,
    expected: 'none',
  },
  { name: 'a move to another tenant', sql: 'UPDATE jobs SET user_id = $bob', expected: '42501' },
  {
    name: 'a lock on rows of another tenant',
    sql: 'SELECT FROM jobs WHERE user_id = $bob FOR UPDATE',
    expected: 'none',
  },
  { name: 'the plan of a query', sql: 'EXPLAIN (ANALYZE, VERBOSE) SELECT title FROM jobs', expected: 'clean' },
];

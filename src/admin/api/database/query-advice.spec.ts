import { getQueryAdvice, type StatementStats, stripLiterals } from './query-advice';

const FAST: StatementStats = {
  query: 'SELECT * FROM jobs WHERE user_id = $1',
  calls: 100,
  totalMs: 100,
  meanMs: 1,
  deviationMs: 1,
  rows: 100,
  pagesCached: 400,
  pagesRead: 0,
  pagesSpilled: 0,
};

describe(getQueryAdvice.name, () => {
  it.each<[string, Partial<StatementStats>, RegExp]>([
    ['is fast', {}, /Fast enough/],
    ['spills', { pagesSpilled: 5_000 }, /50 temporary pages per call to disk/],
    ['reads many pages per row', { meanMs: 50, pagesCached: 100_000 }, /1,000 pages per row: an index/],
    ['returns many rows', { rows: 2_000_000 }, /20,000 rows per call/],
    ['reads from disk', { meanMs: 20, rows: 10_000, pagesCached: 3_000, pagesRead: 3_000 }, /50 % of its pages/],
    ['varies in time', { meanMs: 10, deviationMs: 90 }, /a deviation of 90 ms/],
    [
      'is called very often',
      { calls: 2_000_000, totalMs: 1_000_000, meanMs: 0.5, rows: 2_000_000 },
      /called 2,000,000 times/,
    ],
    ['is slow without a cause', { meanMs: 9 }, /Slow without an obvious cause/],
  ])('advises on a statement that %s', (_, stats, advice) => {
    expect(getQueryAdvice({ ...FAST, ...stats })).toMatch(advice);
  });

  it.each([
    'SELECT refresh_user_job_stats()',
    'select app.partition_coverage() AS covered',
    'SELECT * FROM app.syncs_due($1)',
    'INSERT INTO jobs (title) VALUES ($1) ON CONFLICT DO NOTHING',
    'SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace',
  ])('suggests no index for %s', (query) => {
    expect(getQueryAdvice({ ...FAST, query, meanMs: 50, pagesCached: 100_000 })).toMatch(
      /Slow without an obvious cause/,
    );
  });

  it('suggests an index for statements that read a table', () => {
    for (const query of [
      'UPDATE jobs SET title = $1 WHERE lower(title) = $2',
      'SELECT count(*) FROM jobs',
      'SELECT lower(title) FROM jobs WHERE f($1)',
    ]) {
      expect(getQueryAdvice({ ...FAST, query, meanMs: 50, pagesCached: 100_000 })).toMatch(/an index/);
    }
  });
});

describe(stripLiterals.name, () => {
  it.each([
    [
      `SELECT * FROM users WHERE email = 'ann@example.org' AND id = 42`,
      'SELECT * FROM users WHERE email = ? AND id = ?',
    ],
    [`SELECT 'it''s', E'a\\'b', $$body $1$$, $x$more$x$`, 'SELECT ?, ?, ?, ?'],
    [
      `SELECT $1, a1, "Mixed 7" FROM t -- ann@example.org\nWHERE b = 1.5e3 /* secret */`,
      'SELECT $1, a1, "Mixed 7" FROM t WHERE b = ?',
    ],
    [`ALTER ROLE x PASSWORD 'cut off in the mid`, 'ALTER ROLE x PASSWORD ?'],
    ['SELECT  set_config($1,\n\t$2, true)', 'SELECT set_config($1, $2, true)'],
  ])('removes the values of %s', (sql, expected) => {
    expect(stripLiterals(sql)).toBe(expected);
  });
});

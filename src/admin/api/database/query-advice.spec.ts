import { getQueryAdvice, type StatementStats, stripLiterals } from './query-advice';

const QUICK: StatementStats = {
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
    ['is quick', {}, /Quick enough/],
    ['spills', { pagesSpilled: 5_000 }, /50 pages a call to disk/],
    ['reads a table for a row', { meanMs: 50, pagesCached: 100_000 }, /1,000 pages for each row: an index/],
    ['returns a table', { rows: 2_000_000 }, /20,000 rows a call/],
    ['reads from disk', { meanMs: 20, rows: 10_000, pagesCached: 3_000, pagesRead: 3_000 }, /50 % of its pages/],
    ['strays', { meanMs: 10, deviationMs: 90 }, /strays by 90 ms/],
    [
      'is called all the time',
      { calls: 2_000_000, totalMs: 1_000_000, meanMs: 0.5, rows: 2_000_000 },
      /called 2,000,000 times/,
    ],
    ['is merely slow', { meanMs: 9 }, /Nothing stands out/],
  ])('tells of a statement that %s', (_, figures, advice) => {
    expect(getQueryAdvice({ ...QUICK, ...figures })).toMatch(advice);
  });

  it.each([
    'SELECT refresh_user_job_stats()',
    'select app.partition_coverage() AS covered',
    'SELECT * FROM app.syncs_due($1)',
    'INSERT INTO jobs (title) VALUES ($1) ON CONFLICT DO NOTHING',
    'SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace',
  ])('asks for no index for %s', (query) => {
    expect(getQueryAdvice({ ...QUICK, query, meanMs: 50, pagesCached: 100_000 })).toMatch(/Nothing stands out/);
  });

  it('asks for one where a statement of ours reads a table', () => {
    for (const query of [
      'UPDATE jobs SET title = $1 WHERE lower(title) = $2',
      'SELECT count(*) FROM jobs',
      'SELECT lower(title) FROM jobs WHERE f($1)',
    ]) {
      expect(getQueryAdvice({ ...QUICK, query, meanMs: 50, pagesCached: 100_000 })).toMatch(/an index/);
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
  ])('shows %s without its values', (sql, shown) => {
    expect(stripLiterals(sql)).toBe(shown);
  });
});

import { withoutLiterals } from './without-literals';

describe(withoutLiterals.name, () => {
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
    expect(withoutLiterals(sql)).toBe(shown);
  });
});

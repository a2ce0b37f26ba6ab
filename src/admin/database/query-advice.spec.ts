import { adviceOn, type StatementFigures } from './query-advice';

const QUICK: StatementFigures = { calls: 100, totalMs: 100, meanMs: 1, deviationMs: 1, rows: 100, pagesCached: 400, pagesRead: 0, pagesSpilled: 0 };

describe(adviceOn.name, () => {
  it.each<[string, Partial<StatementFigures>, RegExp]>([
    ['is quick', {}, /Quick enough/],
    ['spills', { pagesSpilled: 5_000 }, /50 pages a call to disk/],
    ['reads a table for a row', { meanMs: 50, pagesCached: 100_000 }, /1,000 pages for each row: an index/],
    ['returns a table', { rows: 2_000_000 }, /20,000 rows a call/],
    ['reads from disk', { meanMs: 20, rows: 10_000, pagesCached: 3_000, pagesRead: 3_000 }, /50 % of its pages/],
    ['strays', { meanMs: 10, deviationMs: 90 }, /strays by 90 ms/],
    ['is called all the time', { calls: 2_000_000, totalMs: 1_000_000, meanMs: 0.5, rows: 2_000_000 }, /called 2,000,000 times/],
    ['is merely slow', { meanMs: 9 }, /Nothing stands out/],
  ])('tells of a statement that %s', (_, figures, advice) => {
    expect(adviceOn({ ...QUICK, ...figures })).toMatch(advice);
  });
});

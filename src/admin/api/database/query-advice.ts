/** The statistics of one statement in pg_stat_statements. */
export interface StatementStats {
  readonly query: string;
  readonly calls: number;
  readonly totalMs: number;
  readonly meanMs: number;
  readonly deviationMs: number;
  readonly rows: number;
  readonly pagesCached: number;
  readonly pagesRead: number;
  readonly pagesSpilled: number;
}

interface AdviceRule {
  readonly matches: (stats: StatementStats) => boolean;
  readonly advice: (stats: StatementStats) => string;
}

const SLOW_MS = 5;
const formatInteger = (value: number): string => Math.round(value).toLocaleString('en');
const countPages = ({ pagesCached, pagesRead }: StatementStats): number => pagesCached + pagesRead;

/** A call of a function; its own statements are counted with it. */
const FUNCTION_CALL = /^\s*select\s+(?:\*\s+from\s+)?[\w.]+\s*\([^()]*\)(?:\s+as\s+\w+)?$/i;

/** Reads of PostgreSQL's catalog, whose indexes cannot be changed. */
const CATALOG_READ = new RegExp(
  String.raw`\b(?:pg_(?:catalog|class|attribute|constraint|proc|index|policy|roles|stat\w*|database|namespace` +
    String.raw`|inherits)|information_schema)\b`,
  'i',
);

/** Returns whether an index could help: not for inserted rows, calls of functions, or reads of the catalog. */
function readsTables({ query }: StatementStats): boolean {
  return !/^[\s(]*(?:insert|merge|values)\b/i.test(query) && !FUNCTION_CALL.test(query) && !CATALOG_READ.test(query);
}

/** The first matching rule applies. Ordered from certain faults to possibly normal behaviour. */
const RULES: readonly AdviceRule[] = [
  {
    matches: ({ pagesSpilled }) => pagesSpilled > 0,
    advice: ({ pagesSpilled, calls }) =>
      `Writes ${formatInteger(pagesSpilled / calls)} temporary pages per call to disk: sort by an index, read ` +
      'fewer rows, or raise work_mem.',
  },
  {
    matches: (stats) =>
      stats.meanMs >= SLOW_MS && readsTables(stats) && countPages(stats) / Math.max(stats.rows, 1) > 200,
    advice: (stats) =>
      `Reads ${formatInteger(countPages(stats) / Math.max(stats.rows, 1))} pages per row: an index is missing ` +
      'or cannot be used. Check EXPLAIN (ANALYZE, BUFFERS).',
  },
  {
    matches: ({ rows, calls }) => rows / calls > 10_000,
    advice: ({ rows, calls }) =>
      `Returns ${formatInteger(rows / calls)} rows per call: use pagination, or aggregate in the database.`,
  },
  {
    matches: (stats) => stats.meanMs >= SLOW_MS && stats.pagesRead > 1_000 && stats.pagesRead / countPages(stats) > 0.2,
    advice: (stats) =>
      `${formatInteger((100 * stats.pagesRead) / countPages(stats))} % of its pages come from outside ` +
      'shared_buffers: add memory or use a smaller index.',
  },
  {
    matches: ({ meanMs, deviationMs, calls }) => calls >= 10 && meanMs >= SLOW_MS && deviationMs > 3 * meanMs,
    advice: ({ meanMs, deviationMs }) =>
      `Takes ${formatInteger(meanMs)} ms with a deviation of ${formatInteger(deviationMs)} ms: it waits for ` +
      'locks, or some values need another plan.',
  },
  {
    matches: ({ meanMs, totalMs, calls }) => meanMs < SLOW_MS && calls > 100_000 && totalMs > 60_000,
    advice: ({ calls }) => `Fast, but called ${formatInteger(calls)} times: cache its results, or combine calls.`,
  },
  {
    matches: ({ meanMs }) => meanMs >= SLOW_MS,
    advice: () => 'Slow without an obvious cause. Check EXPLAIN (ANALYZE, BUFFERS).',
  },
];

/** Returns advice for a statement, in a sentence. */
export function getQueryAdvice(stats: StatementStats): string {
  return RULES.find(({ matches }) => matches(stats))?.advice(stats) ?? 'Fast enough.';
}

/** Text that may contain tenants' values: strings, comments, numbers. Also matches quoted names and parameters. */
const LITERALS = new RegExp(
  [
    String.raw`"(?:[^"]|"")*"`,
    String.raw`(?:\b[ebx])?'(?:[^'\\]|''|\\[\s\S])*(?:'|$)`,
    String.raw`\$([a-z_]\w*)?\$[\s\S]*?(?:\$\1\$|$)`,
    String.raw`--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)`,
    String.raw`\$\d+|\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b`,
  ].join('|'),
  'gi',
);

/**
 * Removes values from a statement. pg_stat_statements replaces the values of queries, but not those of utility
 * statements or truncated texts. Unterminated literals and comments are removed to the end.
 */
export function stripLiterals(sql: string): string {
  return sql
    .replace(LITERALS, (match) => {
      if (match.startsWith('"') || /^\$\d+$/.test(match)) return match;
      return match.startsWith('--') || match.startsWith('/*') ? ' ' : '?';
    })
    .replace(/\s+/g, ' ')
    .trim();
}

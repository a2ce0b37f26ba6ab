/** What pg_stat_statements counted of one statement. */
export interface StatementStats {
  /** Its text. */
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
  readonly matches: (figures: StatementStats) => boolean;
  readonly advice: (figures: StatementStats) => string;
}

const SLOW_MS = 5;
const formatInteger = (value: number): string => Math.round(value).toLocaleString('en');
const countPages = ({ pagesCached, pagesRead }: StatementStats): number => pagesCached + pagesRead;

/** A call of a function, whose own statements are counted with it. */
const FUNCTION_CALL = /^\s*select\s+(?:\*\s+from\s+)?[\w.]+\s*\([^()]*\)(?:\s+as\s+\w+)?$/i;

/** Reads of the catalog, ours included; its indexes are PostgreSQL's. */
const CATALOG_READ =
  /\b(?:pg_(?:catalog|class|attribute|constraint|proc|index|policy|roles|stat\w*|database|namespace|inherits)|information_schema)\b/i;

/** Whether pages read for few rows point to an index: not for rows written, calls of functions, or the catalog. */
function readsTables({ query }: StatementStats): boolean {
  return !/^[\s(]*(?:insert|merge|values)\b/i.test(query) && !FUNCTION_CALL.test(query) && !CATALOG_READ.test(query);
}

/** The first that fits is given: from what is surely wrong to what may be so by nature. */
const RULES: readonly AdviceRule[] = [
  {
    matches: ({ pagesSpilled }) => pagesSpilled > 0,
    advice: ({ pagesSpilled, calls }) =>
      `Spills ${formatInteger(pagesSpilled / calls)} pages a call to disk for want of work_mem: sort by an index, read less, or raise work_mem.`,
  },
  {
    matches: (figures) =>
      figures.meanMs >= SLOW_MS && readsTables(figures) && countPages(figures) / Math.max(figures.rows, 1) > 200,
    advice: (figures) =>
      `Looks at ${formatInteger(countPages(figures) / Math.max(figures.rows, 1))} pages for each row: an index is missing or cannot be used; see EXPLAIN (ANALYZE, BUFFERS).`,
  },
  {
    matches: ({ rows, calls }) => rows / calls > 10_000,
    advice: ({ rows, calls }) =>
      `Returns ${formatInteger(rows / calls)} rows a call: read pages, or count in the database.`,
  },
  {
    matches: (figures) =>
      figures.meanMs >= SLOW_MS && figures.pagesRead > 1_000 && figures.pagesRead / countPages(figures) > 0.2,
    advice: (figures) =>
      `${formatInteger((100 * figures.pagesRead) / countPages(figures))} % of its pages come from outside shared_buffers: more memory, or a smaller index.`,
  },
  {
    matches: ({ meanMs, deviationMs, calls }) => calls >= 10 && meanMs >= SLOW_MS && deviationMs > 3 * meanMs,
    advice: ({ meanMs, deviationMs }) =>
      `Takes ${formatInteger(meanMs)} ms and strays by ${formatInteger(deviationMs)} ms: it waits for locks, or some values ask for another plan.`,
  },
  {
    matches: ({ meanMs, totalMs, calls }) => meanMs < SLOW_MS && calls > 100_000 && totalMs > 60_000,
    advice: ({ calls }) =>
      `Quick, but called ${formatInteger(calls)} times: cache what it gives, or ask for many at once.`,
  },
  {
    matches: ({ meanMs }) => meanMs >= SLOW_MS,
    advice: () => 'Nothing stands out but its time; see EXPLAIN (ANALYZE, BUFFERS).',
  },
];

/** Returns what to do about a statement, in a sentence. */
export function getQueryAdvice(figures: StatementStats): string {
  return RULES.find(({ matches: fits }) => fits(figures))?.advice(figures) ?? 'Quick enough.';
}

/** What may hold a value of a tenant: quoted and dollar-quoted text, comments, numbers. A name in double quotes stays. */
const LITERALS =
  /"(?:[^"]|"")*"|(?:\b[ebx])?'(?:[^'\\]|''|\\[\s\S])*(?:'|$)|\$([a-z_]\w*)?\$[\s\S]*?(?:\$\1\$|$)|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\$\d+|\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b/gi;

/**
 * Returns a statement as it may be shown: pg_stat_statements replaces the values of queries by itself, but not those of
 * other statements, nor of what it saw before it could. What looks open to the end is taken away to the end.
 */
export function stripLiterals(sql: string): string {
  return sql
    .replace(LITERALS, (found) => {
      if (found.startsWith('"') || /^\$\d+$/.test(found)) return found;
      return found.startsWith('--') || found.startsWith('/*') ? ' ' : '?';
    })
    .replace(/\s+/g, ' ')
    .trim();
}

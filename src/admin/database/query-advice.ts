/** What pg_stat_statements counted of one statement. */
export interface StatementFigures {
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

interface Rule {
  readonly fits: (figures: StatementFigures) => boolean;
  readonly advice: (figures: StatementFigures) => string;
}

const SLOW_MS = 5;
const whole = (value: number): string => Math.round(value).toLocaleString('en');
const pages = ({ pagesCached, pagesRead }: StatementFigures): number => pagesCached + pagesRead;

/** A call of a function, whose own statements are counted with it. */
const CALL = /^\s*select\s+(?:\*\s+from\s+)?[\w.]+\s*\([^()]*\)(?:\s+as\s+\w+)?$/i;

/** Reads of the catalog, ours included; its indexes are PostgreSQL's. */
const OF_CATALOG =
  /\b(?:pg_(?:catalog|class|attribute|constraint|proc|index|policy|roles|stat\w*|database|namespace|inherits)|information_schema)\b/i;

/** Whether pages read for few rows point to an index: not for rows written, calls of functions, or the catalog. */
function readsTables({ query }: StatementFigures): boolean {
  return !/^[\s(]*(?:insert|merge|values)\b/i.test(query) && !CALL.test(query) && !OF_CATALOG.test(query);
}

/** The first that fits is given: from what is surely wrong to what may be so by nature. */
const RULES: readonly Rule[] = [
  {
    fits: ({ pagesSpilled }) => pagesSpilled > 0,
    advice: ({ pagesSpilled, calls }) =>
      `Spills ${whole(pagesSpilled / calls)} pages a call to disk for want of work_mem: sort by an index, read less, or raise work_mem.`,
  },
  {
    fits: (figures) =>
      figures.meanMs >= SLOW_MS && readsTables(figures) && pages(figures) / Math.max(figures.rows, 1) > 200,
    advice: (figures) =>
      `Looks at ${whole(pages(figures) / Math.max(figures.rows, 1))} pages for each row: an index is missing or cannot be used; see EXPLAIN (ANALYZE, BUFFERS).`,
  },
  {
    fits: ({ rows, calls }) => rows / calls > 10_000,
    advice: ({ rows, calls }) => `Returns ${whole(rows / calls)} rows a call: read pages, or count in the database.`,
  },
  {
    fits: (figures) =>
      figures.meanMs >= SLOW_MS && figures.pagesRead > 1_000 && figures.pagesRead / pages(figures) > 0.2,
    advice: (figures) =>
      `${whole((100 * figures.pagesRead) / pages(figures))} % of its pages come from outside shared_buffers: more memory, or a smaller index.`,
  },
  {
    fits: ({ meanMs, deviationMs, calls }) => calls >= 10 && meanMs >= SLOW_MS && deviationMs > 3 * meanMs,
    advice: ({ meanMs, deviationMs }) =>
      `Takes ${whole(meanMs)} ms and strays by ${whole(deviationMs)} ms: it waits for locks, or some values ask for another plan.`,
  },
  {
    fits: ({ meanMs, totalMs, calls }) => meanMs < SLOW_MS && calls > 100_000 && totalMs > 60_000,
    advice: ({ calls }) => `Quick, but called ${whole(calls)} times: cache what it gives, or ask for many at once.`,
  },
  {
    fits: ({ meanMs }) => meanMs >= SLOW_MS,
    advice: () => 'Nothing stands out but its time; see EXPLAIN (ANALYZE, BUFFERS).',
  },
];

/** Returns what to do about a statement, in a sentence. */
export function adviceOn(figures: StatementFigures): string {
  return RULES.find(({ fits }) => fits(figures))?.advice(figures) ?? 'Quick enough.';
}

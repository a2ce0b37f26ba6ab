import type { ExportSection } from './export-sections';

/** A statement and its values. */
type Query = [sql: string, values: unknown[]];

/** Generated columns only repeat others in another form. */
export const GENERATED_COLUMNS = `
  SELECT a.attrelid::regclass::text AS "table", array_agg(a.attname::text) AS columns
  FROM pg_attribute a
  WHERE a.attrelid IN (SELECT format('public.%I', t.name)::regclass FROM unnest($1::text[]) AS t (name)) AND a.attgenerated <> ''
  GROUP BY a.attrelid`;

/** A row with the keys it is sorted by, as PostgreSQL writes them: a Date loses the microseconds. */
export interface ExportedRow extends Record<string, unknown> {
  readonly sort_keys: readonly string[];
}

/** So many rows of a section behind the row with the keys `after`; every name in it stands in export-sections.ts. */
export function readSection(
  { table, owner, columns, key }: ExportSection,
  after: readonly string[] | null,
  take: number,
): Query {
  const names = key.map(([column]) => column).join(', ');
  const texts = key.map(([column]) => `${column}::text`).join(', ');
  const behind = key.map(([, type], i) => `$${i + 2}::${type}`).join(', ');
  return [
    `SELECT ${columns}, ARRAY[${texts}] AS sort_keys FROM ${table}
     WHERE ${owner} = (SELECT auth.uid())${after === null ? '' : ` AND (${names}) > (${behind})`}
     ORDER BY ${names} LIMIT $1`,
    [take, ...(after ?? [])],
  ];
}

import { CATALOG_QUERIES, SCHEMA_LISTS } from './catalog-queries';
import type { CatalogQuery } from '../../src/platform/database/schema/schema-problems';

/** The schema of a database as plain facts: section, name, facts. Equal schemas are equal objects. */
export type Catalog = Record<string, Record<string, unknown>>;

/**
 * Reads all parts of the schema (columns, constraints, indexes, policies, triggers, grants,
 * functions, roles), sorted, so that it can be checked in and compared. The names of yearly partitions are written
 * relative to this year, or every January would look like a change.
 * @param query of any login; all logins can read roles and grants
 */
export async function readCatalog(query: CatalogQuery): Promise<Catalog> {
  const catalog: Catalog = {};
  for (const [section, sql] of Object.entries(CATALOG_QUERIES)) {
    catalog[section] = toSection(await query(sql));
  }
  const [{ migrated } = { migrated: false }] = await query(
    `SELECT to_regclass('audit.audited_tables') IS NOT NULL AS migrated`,
  );
  catalog.lists = migrated ? toSection(await query(SCHEMA_LISTS)) : {};
  return relativeYears(catalog);
}

function toSection(rows: Record<string, unknown>[]): Record<string, unknown> {
  const entries = rows.map((row): [string, unknown] => [String(row.name), sorted(row.facts)]);
  return Object.fromEntries(entries.sort(([a], [b]) => compare(a, b)));
}

/** Sorts keys by the alphabet; jsonb orders them by length first. */
function sorted(facts: unknown): unknown {
  if (facts === null || typeof facts !== 'object' || Array.isArray(facts)) return facts;
  const entries = Object.entries(facts).sort(([a], [b]) => compare(a, b));
  return Object.fromEntries(entries.map(([key, value]) => [key, sorted(value)]));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function relativeYears(catalog: Catalog): Catalog {
  const thisYear = new Date().getUTCFullYear();
  const text = JSON.stringify(catalog).replace(/(?<=_|')20\d\d(?=-01-01|_|"|:| )/g, (year) => {
    const ahead = Number(year) - thisYear;
    return ahead >= 0 && ahead <= 3 ? `<year+${ahead}>` : year;
  });
  return JSON.parse(text) as Catalog;
}

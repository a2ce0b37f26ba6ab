import { DataSource, type EntityMetadata } from 'typeorm';
import { startApp, type TestApp } from '../support/test-app';

/** A column as both sides describe it: `numeric(10,2)`, `text[]`, and whether it is nullable. */
type Columns = Record<string, string>;

/**
 * TypeORM's `migration:generate --check` needs a table for generated columns, and reports partitions and policies as
 * drift. So this test compares names, types and nullability; the catalog contract compares the rest. The type of a
 * domain is the one that it restricts.
 */
describe('the entities', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());

  async function columnsOf(table: string): Promise<Columns> {
    const rows = await app.db.query<{ name: string; type: string }>(
      'superuser',
      `SELECT a.attname AS name, CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod)
           ELSE format_type(a.atttypid, a.atttypmod) END || CASE WHEN a.attnotnull THEN '' ELSE ' null' END AS type
         FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
         WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped`,
      [`public.${table}`],
    );
    return Object.fromEntries(rows.map(({ name, type }) => [name, type]));
  }

  function mappedColumns(metadata: EntityMetadata): Columns {
    return Object.fromEntries(
      metadata.columns.map((column) => {
        const size = column.precision ? `(${column.precision},${column.scale ?? 0})` : '';
        const type = String(column.type).replace('timestamptz', 'timestamp with time zone');
        return [column.databaseName, `${type}${size}${column.isArray ? '[]' : ''}${column.isNullable ? ' null' : ''}`];
      }),
    );
  }

  it('match the columns of the migrated tables', async () => {
    const entities = app.get(DataSource).entityMetadatas;
    const drift: string[] = [];
    for (const metadata of entities) {
      const there = await columnsOf(metadata.tableName);
      for (const [name, type] of Object.entries(mappedColumns(metadata))) {
        if (there[name] !== type) drift.push(`${metadata.tableName}.${name}: entity ${type}, table ${there[name]}`);
      }
    }

    expect(drift).toEqual([]);
    expect(entities.length).toBeGreaterThan(3);
  });
});

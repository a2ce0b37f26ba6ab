import { Conditions } from '../platform/database/conditions';
import type { CursorKey } from '../platform/http/pagination/keyset-page';
import type { Template } from './template.entity';

/** A row of the list, with its sort value as PostgreSQL's text because a Date loses the microseconds. */
export type TemplateRow = Template & { readonly sortKey: string };

/** Selects the tenant's templates, newest first, after the row with the keys `after`, at most `take` rows. */
export function listTemplates(after: readonly CursorKey[] | undefined, take: number): [sql: string, values: unknown[]] {
  const conditions = new Conditions().after('created_at, id', '<', ['timestamptz', 'bigint'], after);
  const limit = conditions.value(take);
  return [
    `SELECT id, name, generation_type AS type, body, version, created_at AS "createdAt", updated_at AS "updatedAt",
       created_at::text AS "sortKey"
     FROM templates ${conditions.where} ORDER BY created_at DESC, id DESC LIMIT ${limit}`,
    conditions.values,
  ];
}

import { Conditions } from '../platform/database/conditions';
import { buildSelectList } from '../platform/database/base.entity';
import { listFields } from '../platform/http/openapi/dto-fields';
import type { CursorKey } from '../platform/http/pagination/keyset-page';
import { Template } from './template.entity';
import { TemplateDto } from './templates.dto';

/** A row of the list, with its sort value as PostgreSQL's text because a Date loses the microseconds. */
export type TemplateRow = TemplateDto & { readonly sortKey: string };

const COLUMNS = buildSelectList(Template, listFields(TemplateDto));

/** Selects the tenant's templates, newest first, after the row with the keys `after`, at most `take` rows. */
export function listTemplates(after: readonly CursorKey[] | undefined, take: number): [sql: string, values: unknown[]] {
  const conditions = new Conditions().after('created_at, id', '<', ['timestamptz', 'bigint'], after);
  const limit = conditions.value(take);
  return [
    `SELECT ${COLUMNS}, created_at::text AS "sortKey" FROM templates ${conditions.where}
     ORDER BY created_at DESC, id DESC LIMIT ${limit}`,
    conditions.values,
  ];
}

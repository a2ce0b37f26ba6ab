import type { ApiProcess } from '../api-process';

/** Violations by writes that were answered 2xx; all must be 0. */
export interface Comparison {
  readonly missing: number;
  /** The row is older than the acknowledged version. */
  readonly outdated: number;
  /** Rows without exactly one INSERT, or without exactly one UPDATE for each version after the first. */
  readonly wronglyAudited: number;
  readonly auditWithoutRow: number;
}

const COMPARE = `
  WITH acknowledged AS (SELECT * FROM unnest($1::bigint[], $2::bigint[]) AS a (id, version)),
  audited AS (
    SELECT record_id, count(*) FILTER (WHERE action = 'INSERT') AS inserts,
      count(*) FILTER (WHERE action = 'UPDATE') AS updates
    FROM audit_logs WHERE table_name = 'jobs' GROUP BY record_id)
  SELECT count(*) FILTER (WHERE j.id IS NULL)::integer AS "missing",
    count(*) FILTER (WHERE j.version < a.version)::integer AS "outdated",
    count(*) FILTER (WHERE j.id IS NOT NULL
      AND (l.inserts, l.updates) IS DISTINCT FROM (1::bigint, (j.version - 1)::bigint))::integer AS "wronglyAudited",
    (SELECT count(*) FROM audited WHERE NOT EXISTS (SELECT FROM jobs WHERE id = record_id))::integer
      AS "auditWithoutRow"
  FROM acknowledged a LEFT JOIN jobs j ON j.id = a.id LEFT JOIN audited l ON l.record_id = a.id`;

/** Compares the acknowledged writes with the rows and their audit. */
export async function compareAcknowledged(
  api: Pick<ApiProcess, 'query'>,
  acknowledged: ReadonlyMap<number, number>,
): Promise<Comparison> {
  const [comparison] = await api.query<Comparison>(COMPARE, [[...acknowledged.keys()], [...acknowledged.values()]]);
  return comparison!;
}

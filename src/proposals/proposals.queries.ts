import { Conditions } from '../platform/database/conditions';
import { buildSelectList } from '../platform/database/base.entity';
import { listFields } from '../platform/http/openapi/dto-fields';
import type { CursorKey } from '../platform/http/pagination/keyset-page';
import { type ListProposalsDto, type PROPOSAL_SORTS, ProposalDto } from './proposals.dto';
import { Proposal } from './proposal.entity';

/** A row of the list, with its sort value as PostgreSQL's text because a Date loses the microseconds. */
export type ProposalRow = ProposalDto & { readonly sortKey: string };

const COLUMNS = buildSelectList(Proposal, listFields(ProposalDto));

const SORTS: Record<(typeof PROPOSAL_SORTS)[number], { column: string; direction: 'ASC' | 'DESC' }> = {
  createdAt: { column: 'created_at', direction: 'ASC' },
  '-createdAt': { column: 'created_at', direction: 'DESC' },
  updatedAt: { column: 'updated_at', direction: 'ASC' },
  '-updatedAt': { column: 'updated_at', direction: 'DESC' },
};

/** Selects the tenant's proposals after the row with the keys `after`, at most `take` rows. */
export function listProposals(
  { jobId, status, sort }: ListProposalsDto,
  after: readonly CursorKey[] | undefined,
  take: number,
): [sql: string, values: unknown[]] {
  const { column, direction } = SORTS[sort];
  const conditions = new Conditions()
    .add('job_id = $?', jobId)
    .anyOf('status', status)
    .after(`${column}, id`, direction === 'ASC' ? '>' : '<', ['timestamptz', 'bigint'], after);
  const limit = conditions.value(take);
  return [
    `SELECT ${COLUMNS}, ${column}::text AS "sortKey" FROM proposals ${conditions.where}
     ORDER BY ${column} ${direction}, id ${direction} LIMIT ${limit}`,
    conditions.values,
  ];
}

/** Locks the job $1 until a new proposal is stored, as synchronisations do (upwork-proposals.service.ts). */
export const LOCK_JOB = `SELECT status FROM jobs WHERE id = $1 FOR NO KEY UPDATE`;

/** Returns a row when the job $1 has an open proposal. */
export const SELECT_OPEN = `SELECT id FROM proposals WHERE job_id = $1 AND status IN ('draft', 'submitted') LIMIT 1`;

/** Lists the statuses of the proposal $1 over time. */
export const LIST_STATUS_CHANGES = `
  SELECT status, upwork_status AS "upworkStatus", upwork_reason AS "upworkReason",
    changed_at AS "changedAt", seen_at AS "seenAt"
  FROM proposal_status_changes WHERE proposal_id = $1 ORDER BY changed_at, id LIMIT 500`;

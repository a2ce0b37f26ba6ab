import { Conditions } from '../platform/database/conditions';
import type { CursorKey } from '../platform/http/pagination/keyset-page';
import type { ListProposalsDto, PROPOSAL_SORTS } from './proposals.dto';
import type { Proposal } from './proposal.entity';

/** A row of the list, with its sort value as PostgreSQL's text because a Date loses the microseconds. */
export type ProposalRow = Proposal & { readonly sortKey: string };

const COLUMNS = `id, user_id AS "userId", job_id AS "jobId", upwork_proposal_id AS "upworkProposalId",
  upwork_status AS "upworkStatus", cover_letter AS "coverLetter", bid_amount AS "bidAmount", bid_type AS "bidType",
  currency, status, submitted_at AS "submittedAt", version, created_at AS "createdAt", updated_at AS "updatedAt"`;

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

import { ANNA, TEAM_MATE_ID } from './account-cases';
import { buildDataCase } from './fake-case';

interface ProposalFields {
  readonly jobNumber?: number;
  readonly userId?: string;
  readonly reason?: { readonly reason: string; readonly description: string | null };
  /** Parts of the node that replace its own. */
  readonly node?: Readonly<Record<string, unknown>>;
}

const NOV_1_2026 = Date.UTC(2026, 10, 1, 9, 30);
const NOV_2_2026 = Date.UTC(2026, 10, 2, 10);
const OCT_1_2026 = Date.UTC(2026, 9, 1, 9, 30);

const buildDateTime = (milliseconds: number) => ({ rawValue: String(milliseconds) });

/** Builds an hourly proposal for a job of the same number plus 100. */
function buildProposal(number: number, status: string, fields: ProposalFields = {}) {
  const { jobNumber = number + 100, userId = ANNA.userId, reason = null } = fields;
  const node = {
    id: String(1_991_500_000_000_000_000n + BigInt(number)),
    user: { id: userId },
    marketplaceJobPosting: {
      id: String(1_991_400_000_000_000_000n + BigInt(jobNumber)),
      content: { title: `A job (${status})` },
    },
    terms: { chargeRate: { rawValue: '48.0', currency: 'USD' }, upfrontPaymentPercent: null },
    proposalCoverLetter: 'Hello,\nI have done this before.',
    auditDetails: { createdDateTime: buildDateTime(NOV_1_2026), modifiedDateTime: buildDateTime(NOV_2_2026) },
    status: { status, reason },
    ...fields.node,
  };
  return { node };
}

/** Every status, as a list can contain all of them; then a private job, a team mate's proposal and missing nodes. */
const EDGES = [
  buildProposal(1, 'Accepted'),
  buildProposal(2, 'Activated'),
  buildProposal(3, 'Offered'),
  buildProposal(4, 'Hired'),
  buildProposal(5, 'Declined', { reason: { reason: 'Budget too high', description: null } }),
  buildProposal(6, 'Withdrawn', { reason: { reason: 'Other', description: 'No time' } }),
  buildProposal(7, 'Archived', {
    node: { auditDetails: { createdDateTime: buildDateTime(OCT_1_2026), modifiedDateTime: null } },
  }),
  buildProposal(8, 'Pending'),
  buildProposal(9, 'Invalid'),
  buildProposal(10, 'Rejected'),
  buildProposal(11, 'Replaced'),
  buildProposal(12, 'Created'),
  buildProposal(13, 'Accepted', {
    node: {
      marketplaceJobPosting: { id: '1991400000000000113', content: null },
      terms: { chargeRate: { rawValue: '1500.0', currency: 'USD' }, upfrontPaymentPercent: 0 },
      proposalCoverLetter: null,
    },
  }),
  buildProposal(14, 'Accepted', { jobNumber: 101, userId: TEAM_MATE_ID }),
  { node: null },
  null,
];

const VARIABLES = { status: 'Accepted', pagination: { first: 20 } };

/** Cases of proposals. */
export const PROPOSAL_CASES = {
  'proposals-page': buildDataCase(VARIABLES, {
    vendorProposals: { edges: EDGES, pageInfo: { hasNextPage: true, endCursor: 'eyJvIjoyMH0=' } },
  }),
  'proposals-unknown-status': buildDataCase(VARIABLES, {
    vendorProposals: {
      edges: [buildProposal(20, 'Shortlisted')],
      pageInfo: { hasNextPage: false, endCursor: null },
    },
  }),
};

import { z } from 'zod';
import {
  buildConnectionSchema,
  defineDocument,
  id,
  instant,
  money,
  number,
  optional,
  optionalInstant,
  requiredText,
  text,
} from './upwork-document';

/** Why a proposal was declined or withdrawn; the description is the person's own. */
const reason = z.object({ reason: requiredText, description: text });

const proposal = z.object({
  id,
  user: z.object({ id }),
  marketplaceJobPosting: z.object({ id, content: optional(z.object({ title: requiredText })) }),
  terms: optional(z.object({ chargeRate: money, upfrontPaymentPercent: number })),
  proposalCoverLetter: text,
  auditDetails: z.object({
    createdDateTime: z.object({ rawValue: instant }),
    modifiedDateTime: optional(z.object({ rawValue: optionalInstant })),
  }),
  status: z.object({ status: requiredText, reason: reason.nullish().catch(null) }),
});

/** Proposal on Upwork. */
export type UpworkProposal = z.output<typeof proposal>;

/** The lists of proposals. They overlap, and no list has all proposals. */
export const PROPOSAL_LISTS = [
  'Hired',
  'Offered',
  'Activated',
  'Accepted',
  'Declined',
  'Withdrawn',
  'Archived',
  'Pending',
] as const;

/** Upwork refuses larger pages of proposals. */
export const PROPOSALS_PER_PAGE = 20;

/** Lists the proposals of one list, the latest change first. */
export const VENDOR_PROPOSALS = defineDocument(
  'VendorProposals',
  `query VendorProposals($status: VendorProposalStatusFilterInput!, $pagination: Pagination!) {
    vendorProposals(
      filter: { status_eq: $status }, sortAttribute: { field: MODIFIEDDATETIME, sortOrder: DESC }
      pagination: $pagination
    ) {
      edges { node {
        id user { id } marketplaceJobPosting { id content { title } }
        terms { chargeRate { rawValue currency } upfrontPaymentPercent } proposalCoverLetter
        auditDetails { createdDateTime { rawValue } modifiedDateTime { rawValue } }
        status { status reason { reason description } }
      } }
      pageInfo { hasNextPage endCursor }
    }
  }`,
  z.object({ vendorProposals: buildConnectionSchema(proposal) }),
);

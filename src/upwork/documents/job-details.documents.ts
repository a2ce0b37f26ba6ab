import { z } from 'zod';
import { defineDocument, money, number, optional, optionalInstant, requiredText, text } from './upwork-document';

/** Hourly amounts are numbers here, whereas a search returns money. */
const contractTerms = z.object({
  contractType: text,
  fixedPriceContractTerms: optional(z.object({ amount: money })),
  hourlyContractTerms: optional(z.object({ hourlyBudgetMin: number, hourlyBudgetMax: number })),
});

const question = z.object({ question: text, sequenceNumber: number });

const proposalRequirement = z.object({ screeningQuestions: optional(z.array(optional(question))) });

const jobActivity = z.object({
  lastClientActivity: optionalInstant,
  invitesSent: number,
  totalInvitedToInterview: number,
  totalHired: number,
  totalOffered: number,
});

const posting = z.object({
  workFlowState: optional(z.object({ status: text })),
  content: optional(z.object({ title: requiredText, description: requiredText })),
  contractTerms: optional(contractTerms),
  contractorSelection: optional(z.object({ proposalRequirement: optional(proposalRequirement) })),
  activityStat: optional(z.object({ jobActivity: optional(jobActivity) })),
});

/** Posting of a job in full. */
export type UpworkPosting = z.output<typeof posting>;

/** Reads one posting in full; null when this connection cannot see it. */
export const JOB_DETAILS = defineDocument(
  'JobDetails',
  `query JobDetails($id: ID!) {
    marketplaceJobPosting(id: $id) {
      workFlowState { status } content { title description }
      contractTerms {
        contractType fixedPriceContractTerms { amount { rawValue currency } }
        hourlyContractTerms { hourlyBudgetMin hourlyBudgetMax }
      }
      contractorSelection { proposalRequirement { screeningQuestions { question sequenceNumber } } }
      activityStat { jobActivity {
        lastClientActivity invitesSent totalInvitedToInterview totalHired totalOffered
      } }
    }
  }`,
  z.object({ marketplaceJobPosting: posting.nullish() }),
);

import { z } from 'zod';
import { defineDocument, money, optionalInstant, requiredText, text } from './upwork-document';

const count = z.number().nullish();

/** Hourly amounts are numbers here, whereas a search returns money. */
const contractTerms = z.object({
  contractType: text,
  fixedPriceContractTerms: z.object({ amount: money }).nullish(),
  hourlyContractTerms: z.object({ hourlyBudgetMin: count, hourlyBudgetMax: count }).nullish(),
});

const question = z.object({ question: text, sequenceNumber: count }).nullable();

const posting = z.object({
  workFlowState: z.object({ status: text }).nullish(),
  content: z.object({ title: requiredText, description: requiredText }).nullish(),
  contractTerms: contractTerms.nullish(),
  contractorSelection: z
    .object({ proposalRequirement: z.object({ screeningQuestions: z.array(question).nullish() }).nullish() })
    .nullish(),
  activityStat: z
    .object({
      jobActivity: z
        .object({
          lastClientActivity: optionalInstant,
          invitesSent: count,
          totalInvitedToInterview: count,
          totalHired: count,
          totalOffered: count,
        })
        .nullish(),
    })
    .nullish(),
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

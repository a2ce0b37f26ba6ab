import { z } from 'zod';
import {
  buildConnectionSchema,
  defineDocument,
  id,
  money,
  optionalInstant,
  requiredText,
  text,
} from './upwork-document';

const skill = z.object({ name: requiredText, prettyName: text }).nullable();

const job = z.object({
  id,
  ciphertext: id.nullish(),
  title: requiredText,
  description: text,
  hourlyBudgetType: text,
  amount: money,
  hourlyBudgetMin: money,
  hourlyBudgetMax: money,
  durationLabel: text,
  engagement: text,
  experienceLevel: text,
  category: text,
  subcategory: text,
  occupations: z.object({ category: z.object({ prefLabel: requiredText }).nullish() }).nullish(),
  skills: z.array(skill).nullish(),
  freelancersToHire: z.number().nullish(),
  totalApplicants: z.number().nullish(),
  applied: z.boolean().nullish(),
  premium: z.boolean().nullish(),
  enterprise: z.boolean().nullish(),
  preferredFreelancerLocation: z.array(requiredText.nullable()).nullish(),
  preferredFreelancerLocationMandatory: z.boolean().nullish(),
  client: z
    .object({
      totalHires: z.number().nullish(),
      totalPostedJobs: z.number().nullish(),
      totalSpent: money,
      totalReviews: z.number().nullish(),
      totalFeedback: z.number().nullish(),
      verificationStatus: text,
      location: z.object({ country: text }).nullish(),
    })
    .nullish(),
  publishedDateTime: optionalInstant,
  renewedDateTime: optionalInstant,
});

/** Job in search results. */
export type UpworkJob = z.output<typeof job>;

/** Cursor of the first page of a search: Upwork counts the jobs before a page. */
export const FIRST_SEARCH_CURSOR = '0';

/** Searches jobs that match a filter, newest first. Every page, the first too, needs its cursor in the filter. */
export const SEARCH_JOBS = defineDocument(
  'SearchJobs',
  `query SearchJobs($filter: MarketplaceJobPostingsSearchFilter) {
    marketplaceJobPostingsSearch(
      marketPlaceJobFilter: $filter, searchType: USER_JOBS_SEARCH, sortAttributes: [{ field: RECENCY }]
    ) {
      edges { node {
        id ciphertext title description
        hourlyBudgetType amount { rawValue currency }
        hourlyBudgetMin { rawValue currency } hourlyBudgetMax { rawValue currency }
        durationLabel engagement experienceLevel category subcategory occupations { category { prefLabel } }
        skills { name prettyName }
        freelancersToHire totalApplicants applied premium enterprise
        preferredFreelancerLocation preferredFreelancerLocationMandatory
        client {
          totalHires totalPostedJobs totalSpent { rawValue currency } totalReviews totalFeedback verificationStatus
          location { country }
        }
        publishedDateTime renewedDateTime
      } }
      pageInfo { hasNextPage endCursor }
    }
  }`,
  z.object({ marketplaceJobPostingsSearch: buildConnectionSchema(job) }),
);

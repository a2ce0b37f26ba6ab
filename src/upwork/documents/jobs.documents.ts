import { z } from 'zod';
import {
  buildConnectionSchema,
  defineDocument,
  flag,
  id,
  money,
  number,
  optional,
  optionalInstant,
  requiredText,
  text,
} from './upwork-document';

const skill = z.object({ name: requiredText, prettyName: text });

const client = z.object({
  totalHires: number,
  totalPostedJobs: number,
  totalSpent: money,
  totalReviews: number,
  totalFeedback: number,
  verificationStatus: text,
  location: optional(z.object({ country: text })),
});

const job = z.object({
  id,
  ciphertext: optional(id),
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
  occupations: optional(z.object({ category: optional(z.object({ prefLabel: requiredText })) })),
  skills: optional(z.array(optional(skill))),
  freelancersToHire: number,
  totalApplicants: number,
  applied: flag,
  premium: flag,
  enterprise: flag,
  preferredFreelancerLocation: optional(z.array(text)),
  preferredFreelancerLocationMandatory: flag,
  client: optional(client),
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

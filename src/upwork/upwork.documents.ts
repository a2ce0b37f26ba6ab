import { z } from 'zod';
import { HEADER_TOKEN } from '../platform/http/edge/header-values';

/** GraphQL operation and the schema of its answer; unknown fields are dropped. */
export interface UpworkDocument<Schema extends z.ZodType> {
  readonly name: string;
  readonly text: string;
  /** Schema of `data` in the answer. */
  readonly data: Schema;
}

function defineDocument<Schema extends z.ZodType>(name: string, text: string, data: Schema): UpworkDocument<Schema> {
  return { name, text, data };
}

/** Id used for later lookups; characters that no column stores are rejected. */
const id = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\p{C}]+$/u);
/** Removes NUL and surrogates, which PostgreSQL cannot store. */
const requiredText = z.string().transform((value) => value.replace(/\0|\p{Surrogate}/gu, ''));
const text = requiredText.nullish();
/** Instant between 1970 and the end of the year 9999. */
const instant = z.string().refine((value) => Date.parse(value) >= 0 && Date.parse(value) < 253_402_300_800_000);
const money = z.object({ rawValue: z.union([z.string(), z.number()]), currency: z.string().nullish() }).nullish();
const pageInfo = z.object({ hasNextPage: z.boolean(), endCursor: text });

/** Builds the schema of a page. Nodes that cannot be read are counted and omitted. */
function buildConnectionSchema<Node extends z.ZodType>(node: Node) {
  const edge = z.object({ node: z.unknown() });
  return z.object({ edges: z.array(z.unknown()), pageInfo }).transform(({ edges, pageInfo: info }) => {
    const nodes = edges.flatMap((each) => {
      const read = node.safeParse(edge.safeParse(each).data?.node);
      return read.success ? [read.data] : [];
    });
    return { nodes, unreadable: edges.length - nodes.length, pageInfo: info };
  });
}

/** Lists the organizations that a connection may act for. */
export const COMPANY_SELECTOR = defineDocument(
  'CompanySelector',
  `query CompanySelector { companySelector { items { organizationId title } } }`,
  z.object({
    companySelector: z.object({
      items: z.array(z.object({ organizationId: z.string().regex(HEADER_TOKEN).max(100), title: text })),
    }),
  }),
);

/** Reads the user of the connection. */
export const CURRENT_USER = defineDocument(
  'CurrentUser',
  `query CurrentUser { user { id } }`,
  z.object({ user: z.object({ id }) }),
);

const job = z.object({
  id,
  ciphertext: id.nullish(),
  title: requiredText,
  description: text,
  amount: money,
  hourlyBudgetMin: money,
  hourlyBudgetMax: money,
  durationLabel: text,
  engagement: text,
  experienceLevel: text,
  category: text,
  subcategory: text,
  skills: z.array(z.object({ name: requiredText, prettyName: text })).nullish(),
  client: z
    .object({
      totalHires: z.number().nullish(),
      totalPostedJobs: z.number().nullish(),
      totalReviews: z.number().nullish(),
      totalFeedback: z.number().nullish(),
      verificationStatus: text,
      location: z.object({ country: text }).nullish(),
    })
    .nullish(),
  publishedDateTime: text,
  renewedDateTime: text,
});

/** Job in search results. */
export type UpworkJob = z.output<typeof job>;

/** Searches jobs that match a filter, newest first. */
export const SEARCH_JOBS = defineDocument(
  'SearchJobs',
  `query SearchJobs($filter: MarketplaceJobPostingsSearchFilter) {
    marketplaceJobPostingsSearch(
      marketPlaceJobFilter: $filter, searchType: USER_JOBS_SEARCH, sortAttributes: [{ field: RECENCY }]
    ) {
      edges { node {
        id ciphertext title description amount { rawValue currency } hourlyBudgetMin { rawValue currency }
        hourlyBudgetMax { rawValue currency } durationLabel engagement experienceLevel category subcategory
        skills { name prettyName }
        client { totalHires totalPostedJobs totalReviews totalFeedback verificationStatus location { country } }
        publishedDateTime renewedDateTime
      } }
      pageInfo { hasNextPage endCursor }
    }
  }`,
  z.object({ marketplaceJobPostingsSearch: buildConnectionSchema(job) }),
);

const proposal = z.object({
  id,
  marketplaceJobPosting: z.object({ id, content: z.object({ title: requiredText }).nullish() }),
  terms: z.object({ chargeRate: money }).nullish(),
  proposalCoverLetter: text,
  auditDetails: z.object({ createdDateTime: text }).nullish(),
  status: z.object({ status: requiredText }),
});

/** Proposal on Upwork. */
export type UpworkProposal = z.output<typeof proposal>;

/** Lists the freelancer's proposals. */
export const VENDOR_PROPOSALS = defineDocument(
  'VendorProposals',
  `query VendorProposals($pagination: Pagination) {
    vendorProposals(filter: {}, sortAttribute: { field: CREATEDDATETIME, sortOrder: DESC }, pagination: $pagination) {
      edges { node {
        id marketplaceJobPosting { id content { title } } terms { chargeRate { rawValue currency } } proposalCoverLetter
        auditDetails { createdDateTime } status { status }
      } }
      pageInfo { hasNextPage endCursor }
    }
  }`,
  z.object({ vendorProposals: buildConnectionSchema(proposal) }),
);

const room = z.object({
  id,
  lastReadDateTime: instant.nullish().catch(null),
  vendorProposal: z.object({ id }).nullish(),
});

/** Conversation on Upwork. */
export type UpworkRoom = z.output<typeof room>;

/** Lists conversations that match a filter. */
export const ROOMS = defineDocument(
  'Rooms',
  `query Rooms($filter: RoomFilter, $pagination: Pagination) {
    roomList(filter: $filter, pagination: $pagination) {
      edges { node { id lastReadDateTime vendorProposal { id } } }
      pageInfo { hasNextPage endCursor }
    }
  }`,
  z.object({ roomList: buildConnectionSchema(room) }),
);

const story = z.object({
  id,
  createdDateTime: instant,
  updatedDateTime: text,
  message: text,
  user: z.object({ id }).nullish(),
});

/** Message of a conversation. */
export type UpworkStory = z.output<typeof story>;

/** Lists the messages of a conversation, newest first. */
export const ROOM_STORIES = defineDocument(
  'RoomStories',
  `query RoomStories($filter: RoomStoryFilter, $pagination: Pagination) {
    roomStories(filter: $filter, pagination: $pagination) {
      edges { node { id createdDateTime updatedDateTime message user { id } } }
      pageInfo { hasNextPage endCursor }
    }
  }`,
  z.object({ roomStories: buildConnectionSchema(story) }),
);

import { CLIENT, type FakeJob, type FakeProposal, type FakeRoom, type FakeStory } from './fake-marketplace';

/** Node of an answer. A function is called only when a document asks for its field. */
export type FakeNode = Readonly<Record<string, unknown>>;

/** Returns the organization for which a user acts. */
export function getOrganizationId(user: string): string {
  return `org-${user}`;
}

/** Builds a user. */
export function buildUserNode(id: string): FakeNode {
  return { id, nid: id, rid: id, name: id };
}

/** Builds a job of a search. Prices are never null, and instants have no colon in their offset. */
export function buildJobNode(job: FakeJob): FakeNode {
  const { id, title, description, amount, hourly, publishedAt, renewedAt } = job;
  return {
    id,
    ciphertext: `~02${id}`,
    recordNumber: id,
    title,
    description,
    hourlyBudgetType: hourly && 'MANUAL',
    amount: buildMoney(amount ?? '0.0'),
    hourlyBudgetMin: hourly && buildMoney(hourly[0]),
    hourlyBudgetMax: hourly && buildMoney(hourly[1]),
    engagement: hourly && 'Less than 30 hrs/week',
    skills: buildSkills(job),
    freelancersToHire: 1,
    totalApplicants: 3,
    applied: false,
    premium: false,
    enterprise: false,
    createdDateTime: formatSeconds(publishedAt),
    publishedDateTime: formatSeconds(publishedAt),
    renewedDateTime: renewedAt && formatSeconds(renewedAt),
    ...(job.isSparse ? { client: NEW_CLIENT } : { ...CLASSIFICATION, client: KNOWN_CLIENT }),
  };
}

/** Categories have technical names; their labels are in the occupations. */
const CLASSIFICATION = {
  duration: 'MONTH',
  durationLabel: '1 to 3 months',
  experienceLevel: 'EXPERT',
  category: 'web_mobile_software_dev',
  subcategory: 'web_development',
  occupations: { category: { id: '531770282580668418', prefLabel: 'Web, Mobile & Software Dev' } },
};

const COMPANY = {
  companyRid: CLIENT,
  edcUserId: CLIENT,
  companyOrgUid: getOrganizationId(CLIENT),
  hasFinancialPrivacy: false,
};

const NEW_CLIENT = { ...COMPANY, totalHires: 0, totalPostedJobs: 1, totalReviews: 0, totalFeedback: 0 };

const KNOWN_CLIENT = {
  ...COMPANY,
  totalHires: 12,
  totalPostedJobs: 30,
  totalSpent: buildMoney('23420.42'),
  totalReviews: 9,
  totalFeedback: 4.9,
  verificationStatus: 'VERIFIED',
  location: { country: 'Germany', city: 'Hamburg', timezone: 'Europe/Berlin' },
};

/** Builds a job posting in full. Hourly amounts are numbers here. */
export function buildPostingNode({ id, title, description, amount, hourly, questions }: FakeJob): FakeNode {
  const [hourlyBudgetMin = null, hourlyBudgetMax = null] = hourly?.map(Number) ?? [];
  return {
    id,
    workFlowState: { status: 'ACTIVE' },
    content: { title, description },
    contractTerms: {
      contractType: hourly ? 'HOURLY' : 'FIXED',
      personsToHire: 1,
      fixedPriceContractTerms: hourly ? null : { amount: buildMoney(amount ?? '0.0') },
      hourlyContractTerms: hourly && { engagementType: 'PART_TIME', hourlyBudgetMin, hourlyBudgetMax },
    },
    contractorSelection: {
      proposalRequirement: {
        screeningQuestions: questions.map((question, index) => ({ question, sequenceNumber: index + 1 })),
      },
    },
    activityStat: {
      jobActivity: {
        invitesSent: 2,
        totalInvitedToInterview: 1,
        totalHired: 0,
        totalUnansweredInvites: 1,
        totalOffered: 0,
      },
    },
    canClientReceiveContractProposal: true,
  };
}

/** Builds a proposal. Its job has no content when the posting is not public. */
export function buildProposalNode(proposal: FakeProposal, job: FakeJob | undefined): FakeNode {
  const { id, owner, jobId, status, coverLetter, bid, createdAt, modifiedAt } = proposal;
  return {
    id,
    user: buildUserNode(owner),
    organization: { id: getOrganizationId(owner) },
    marketplaceJobPosting: {
      id: jobId,
      content: job && { title: job.title, description: job.description },
      canClientReceiveContractProposal: true,
    },
    terms: { chargeRate: buildMoney(bid), upfrontPaymentPercent: job && !job.hourly ? 0 : null },
    coverLetter,
    proposalCoverLetter: coverLetter,
    auditDetails: {
      createdByUser: buildUserNode(owner),
      createdDateTime: buildDateTime(createdAt),
      modifiedDateTime: buildDateTime(modifiedAt),
    },
    status: { status },
    annotations: [],
  };
}

/** Builds a conversation. */
export function buildRoomNode(room: FakeRoom, vendorProposal: FakeNode): FakeNode {
  const { id, owner, stories, lastReadAt, isHidden } = room;
  const isUnread = ({ author, createdAt }: FakeStory) => author !== owner && (!lastReadAt || createdAt > lastReadAt);
  return {
    id,
    roomType: 'INTERVIEW',
    muted: false,
    hidden: isHidden,
    numUnread: stories.filter(isUnread).length,
    lastReadDateTime: lastReadAt?.toISOString(),
    vendorProposal,
    latestStory: () => stories[0] && buildStoryNode(stories[0], room, vendorProposal),
  };
}

/** Builds a message. */
export function buildStoryNode(story: FakeStory, room: FakeRoom, vendorProposal: FakeNode): FakeNode {
  const { id, author, message, createdAt, updatedAt } = story;
  return {
    id,
    room: () => buildRoomNode(room, vendorProposal),
    createdDateTime: createdAt.toISOString(),
    updatedDateTime: updatedAt.toISOString(),
    message,
    user: buildUserNode(author),
    organization: { id: getOrganizationId(author) },
  };
}

/** A sparse posting names a skill that Upwork no longer knows, which is null. */
function buildSkills({ skills, isSparse }: FakeJob): (FakeNode | null)[] {
  const known = skills.map((name) => ({ name: name.toLowerCase(), prettyName: name }));
  return isSparse ? [...known, null] : known;
}

function buildMoney(rawValue: string): FakeNode {
  return { rawValue, currency: 'USD', displayValue: `$${rawValue}` };
}

function buildDateTime(instant: Date): FakeNode {
  return { rawValue: String(instant.getTime()), displayValue: instant.toISOString() };
}

function formatSeconds(instant: Date): string {
  return instant.toISOString().replace(/\.\d+Z$/, '+0000');
}

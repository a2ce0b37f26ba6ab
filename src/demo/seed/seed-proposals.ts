import type { SeedJob } from './seed-jobs';
import type { SeedUser } from './seed-users';

/** The steps that lead from a draft to each status. */
const STEPS = {
  draft: [],
  submitted: ['submit'],
  accepted: ['submit', 'accept'],
  rejected: ['submit', 'reject'],
  withdrawn: ['submit', 'withdraw'],
  archived: ['submit', 'reject', 'archive'],
} as const;

/** The status of a planned proposal. */
export type SeedStatus = keyof typeof STEPS;

type Step = (typeof STEPS)[SeedStatus][number];

const STATUS_AFTER: Readonly<Record<Step, SeedStatus>> = {
  submit: 'submitted',
  accept: 'accepted',
  reject: 'rejected',
  withdraw: 'withdrawn',
  archive: 'archived',
};

/**
 * Returns the steps from a proposal's status to the planned one; none when the user has taken another way.
 */
export function findMissingSteps(current: string, planned: SeedStatus): readonly Step[] {
  const steps: readonly Step[] = STEPS[planned];
  if (current === 'draft') return steps;
  const done = steps.findIndex((step) => STATUS_AFTER[step] === current);
  return done === -1 ? [] : steps.slice(done + 1);
}

/** The statuses of a user's proposals in order, repeated as often as needed: all of them, one in six won. */
const STATUSES: readonly SeedStatus[] = ['accepted', 'submitted', 'rejected', 'draft', 'withdrawn', 'archived'];

/** A message of a conversation about a job. */
export interface SeedMessage {
  readonly senderType: 'client' | 'freelancer';
  readonly content: string;
}

/** A proposal for a job, with its conversation. */
export interface SeedProposal {
  readonly job: SeedJob;
  readonly status: SeedStatus;
  readonly coverLetter: string;
  readonly bidAmount: string;
  readonly messages: readonly SeedMessage[];
  /** False leaves the client's messages unread. */
  readonly isRead: boolean;
}

/** Conversations by the status of their proposal; the last message of a submitted one has no answer. */
const CONVERSATIONS: Readonly<Record<SeedStatus, readonly SeedMessage[]>> = {
  draft: [],
  submitted: [{ senderType: 'client', content: 'Thank you for the proposal. What would you need from us first?' }],
  accepted: [
    { senderType: 'client', content: 'Your plan convinced us. When can you start?' },
    { senderType: 'freelancer', content: 'On Monday. Please send the access on Friday, then we lose no day.' },
    { senderType: 'client', content: 'Done. The contract is open, and Ines is your contact.' },
    { senderType: 'freelancer', content: 'The first part is ready for your review; two questions are in the notes.' },
    { senderType: 'client', content: 'It looks good. Both answers are in the notes, please go on.' },
  ],
  rejected: [
    { senderType: 'client', content: 'We chose somebody nearby. Thank you for the careful proposal.' },
    { senderType: 'freelancer', content: 'Thank you for the answer, and good luck with the project.' },
  ],
  withdrawn: [
    { senderType: 'client', content: 'Could you do it by the end of this week?' },
    { senderType: 'freelancer', content: 'Not by then, so I withdraw. Please write if the date moves.' },
  ],
  archived: [],
};

/**
 * Plans a user's proposals: for the first of their active jobs, with every status. Only the newest conversations of
 * submitted proposals are unread.
 */
export function planProposals(user: SeedUser, jobs: readonly SeedJob[]): SeedProposal[] {
  const active = jobs.filter(({ status }) => status === 'active').slice(0, user.proposals);
  return active.map((job, index) => {
    const status = STATUSES[index % STATUSES.length]!;
    return {
      job,
      status,
      coverLetter: writeCoverLetter(user, job),
      bidAmount: job.budgetMax ?? job.hourlyRateMax ?? '50.00',
      messages: CONVERSATIONS[status],
      isRead: status !== 'submitted',
    };
  });
}

function writeCoverLetter({ firstName, profile }: SeedUser, { title, skills }: SeedJob): string {
  return [
    'Hello,',
    `you want to ${title.charAt(0).toLowerCase()}${title.slice(1)}. I have ${String(profile['experienceYears'])} ` +
      `years of experience, with ${skills.slice(0, 2).join(' and ')} among others.`,
    'I would begin with a short call, then show a first result within three days, so that you can still change course.',
    `Kind regards\n${firstName}`,
  ].join('\n\n');
}

import { CLIENTS, CLOSINGS, COUNTRIES, JOB_CATEGORIES, type JobCategory, OPENINGS, type SeedUser } from './seed-data';

/**
 * A generator of pseudo-random numbers: the same seed gives the same sequence on every machine (Mulberry32). It is not
 * for secrets.
 */
class SeededRandom {
  private state: number;

  /** @param seed a whole number of 32 bits */
  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** Returns a whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** Returns true with this probability, from 0 to 1. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Returns one of the values. */
  pick<T>(values: readonly T[]): T {
    return values[this.integer(0, values.length - 1)]!;
  }

  /** Returns `count` different values in random order. */
  sample<T>(values: readonly T[], count: number): T[] {
    const rest = [...values];
    return Array.from({ length: Math.min(count, rest.length) }, () =>
      rest.splice(this.integer(0, rest.length - 1), 1),
    ).flat();
  }

  /** Returns a number from 0 to less than 1. */
  private next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }
}

/** A generated job, as a row of POST /v1/jobs/import. */
export interface SeedJob {
  readonly upworkJobId: string;
  readonly title: string;
  readonly description: string;
  readonly category: string;
  readonly subcategory: string;
  readonly skills: readonly string[];
  readonly country: string;
  readonly jobType: 'fixed' | 'hourly';
  readonly experienceLevel: 'entry' | 'intermediate' | 'expert';
  readonly status: 'active' | 'archived';
  readonly isFavorite: boolean;
  readonly budgetMin?: string;
  readonly budgetMax?: string;
  readonly hourlyRateMin?: string;
  readonly hourlyRateMax?: string;
  readonly duration?: string;
  readonly workload?: string;
}

const DURATIONS = ['Less than 1 month', '1 to 3 months', '3 to 6 months', 'More than 6 months'];
const WORKLOADS = ['Less than 30 hrs/week', 'More than 30 hrs/week'];
const LEVELS = ['entry', 'intermediate', 'expert'] as const;

/** Usual sizes of jobs with a fixed price, in hours. */
const FIXED_HOURS = [6, 12, 20, 40, 80, 160];

/** The number that determines the jobs; another one gives other jobs. */
const SEED = 20_260_131;

/** Generates this many different jobs, always the same: the first n of a longer list are the shorter list. */
export function generateJobs(count: number): SeedJob[] {
  const random = new SeededRandom(SEED);
  const titles = JOB_CATEGORIES.flatMap((words) =>
    words.actions.flatMap((action) =>
      words.objects.flatMap((object) =>
        CLIENTS.map((client) => ({ words, title: `${action} ${object} for ${client}` })),
      ),
    ),
  );
  return random
    .sample(titles, count)
    .map(({ words, title }, index) => generateJob(new SeededRandom(SEED + index + 1), index, title, words));
}

function generateJob(random: SeededRandom, index: number, title: string, words: JobCategory): SeedJob {
  const sentences = [random.pick(OPENINGS), ...random.sample(words.details, 2), random.pick(CLOSINGS)];
  return {
    // An id of its own keeps a job the same after a user has changed its text.
    upworkJobId: `seed-${String(index + 1).padStart(4, '0')}`,
    title,
    description: sentences.join(' '),
    category: words.category,
    subcategory: words.subcategory,
    skills: random.sample(words.skills, random.integer(2, 4)),
    country: random.pick(COUNTRIES),
    experienceLevel: random.pick(LEVELS),
    status: random.chance(0.1) ? 'archived' : 'active',
    isFavorite: random.chance(0.06),
    ...generatePay(random, words.hourly),
  };
}

type Pay = Pick<
  SeedJob,
  'jobType' | 'budgetMin' | 'budgetMax' | 'hourlyRateMin' | 'hourlyRateMax' | 'duration' | 'workload'
>;

function generatePay(random: SeededRandom, [from, to]: readonly [number, number]): Pay {
  const low = random.integer(from, Math.floor((from + to) / 2));
  const high = random.integer(low, to);
  if (random.chance(0.45)) {
    const hours = random.pick(FIXED_HOURS);
    return { jobType: 'fixed', budgetMin: formatAmount(low * hours), budgetMax: formatAmount(high * hours) };
  }
  return {
    jobType: 'hourly',
    hourlyRateMin: formatAmount(low),
    hourlyRateMax: formatAmount(high),
    duration: random.pick(DURATIONS),
    workload: random.pick(WORKLOADS),
  };
}

function formatAmount(dollars: number): string {
  return `${dollars}.00`;
}

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
type SeedStatus = keyof typeof STEPS;

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
interface SeedMessage {
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

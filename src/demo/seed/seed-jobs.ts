import { CLIENTS, CLOSINGS, COUNTRIES, JOB_CATEGORIES, type JobCategory, OPENINGS } from './job-vocabulary';
import { SeededRandom } from './seeded-random';

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

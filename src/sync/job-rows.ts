import { firstCodePoints } from '../platform/http/text';
import type { UpworkJob } from '../upwork/upwork.documents';

type Money = UpworkJob['amount'];

const LEVELS: Readonly<Record<string, string>> = {
  ENTRY_LEVEL: 'entry',
  INTERMEDIATE: 'intermediate',
  EXPERT: 'expert',
};

/** Returns a vacancy of Upwork as a row of an import, under our field names. */
export function jobRowOf(job: UpworkJob): Record<string, unknown> {
  const jobType = jobTypeOf(job);
  const isHourly = jobType === 'hourly';
  const fixed = amountOf(job.amount);
  return {
    upworkJobId: job.ciphertext ?? job.id,
    title: firstCodePoints(job.title, 500),
    description: cutOrNull(job.description, 50_000),
    jobType,
    budgetMin: isHourly ? null : fixed,
    budgetMax: isHourly ? null : fixed,
    hourlyRateMin: amountOf(job.hourlyBudgetMin),
    hourlyRateMax: amountOf(job.hourlyBudgetMax),
    currency: (isHourly ? (job.hourlyBudgetMin ?? job.hourlyBudgetMax) : job.amount)?.currency ?? 'USD',
    skills: (job.skills ?? []).slice(0, 50).map(({ name, prettyName }) => firstCodePoints(prettyName ?? name, 100)),
    category: cutOrNull(job.category, 100),
    subcategory: cutOrNull(job.subcategory, 100),
    country: cutOrNull(job.client?.location?.country, 100),
    experienceLevel: LEVELS[job.experienceLevel ?? ''] ?? null,
    duration: cutOrNull(job.durationLabel, 100),
    workload: cutOrNull(job.engagement, 100),
    clientInfo: clientInfoOf(job),
  };
}

/** Returns the kind of pay: by the amounts, then by the hours a week, which only hourly vacancies have. */
function jobTypeOf(job: UpworkJob): 'hourly' | 'fixed' | null {
  if (amountOf(job.hourlyBudgetMin) !== null || amountOf(job.hourlyBudgetMax) !== null) return 'hourly';
  if (amountOf(job.amount) !== null) return 'fixed';
  return job.engagement ? 'hourly' : null;
}

/** Zero is how Upwork says that there is no amount. */
function amountOf(money: Money): string | null {
  const value = Number(money?.rawValue ?? 0);
  return value > 0 && value < 1e8 ? value.toFixed(2) : null;
}

/** What changes at each look (the number of applicants) stays out: a job changes when its vacancy does. */
function clientInfoOf({ client, publishedDateTime, renewedDateTime }: UpworkJob): Record<string, unknown> {
  const info = {
    hires: client?.totalHires,
    postedJobs: client?.totalPostedJobs,
    reviews: client?.totalReviews,
    rating: client?.totalFeedback,
    verification: client?.verificationStatus,
    publishedAt: publishedDateTime,
    renewedAt: renewedDateTime,
  };
  return Object.fromEntries(Object.entries(info).filter(([, value]) => value !== null && value !== undefined));
}

function cutOrNull(text: string | null | undefined, max: number): string | null {
  return text === null || text === undefined ? null : firstCodePoints(text, max);
}

import type { CreateJobDto } from '../jobs/jobs.dto';
import { MAX_COUNT, truncateToCodePoints } from '../platform/http/validation/fields';
import type { UpworkJob } from '../upwork/documents/jobs.documents';

/** Facts about the client and the competition. The country of the client is a field of the job. */
type JobFacts = Pick<
  CreateJobDto,
  | 'postedAt'
  | 'renewedAt'
  | 'clientSpent'
  | 'clientSpentCurrency'
  | 'clientHires'
  | 'clientPostedJobs'
  | 'clientRating'
  | 'clientReviews'
  | 'clientPaymentVerified'
  | 'applicants'
  | 'freelancersToHire'
  | 'isFilled'
  | 'alreadyApplied'
  | 'premium'
  | 'enterprise'
  | 'preferredLocations'
  | 'locationRequired'
>;

/** Words for the state of the payment method. Upwork has null for clients without one, and for unknown ones. */
const IS_VERIFIED: ReadonlyMap<unknown, boolean> = new Map([
  ['VERIFIED', true],
  ['NOT_VERIFIED', false],
  ['ACTIVE_BUT_NOT_VERIFIED', false],
  ['VERIFICATION_IN_PROGRESS', false],
]);

/** Largest amount of numeric(10,2). */
const MAX_AMOUNT = 99_999_999.99;

/** Limits of preferred places, as in POST /v1/jobs. */
const MAX_PLACES = 50;
const MAX_PLACE_LENGTH = 100;

/**
 * Maps the facts of a job from Upwork to the fields of this API. What Upwork does not say, or says in an unknown form,
 * is null: it never makes a job unreadable.
 */
export function readJobFacts(job: UpworkJob): Required<JobFacts> {
  const { client, freelancersToHire } = job;
  const clientSpent = readAmount(client?.totalSpent?.rawValue);
  const preferredLocations = readPlaces(job.preferredFreelancerLocation);
  return {
    postedAt: job.publishedDateTime ?? null,
    renewedAt: job.renewedDateTime ?? null,
    clientSpent,
    clientSpentCurrency: clientSpent === null ? null : (client?.totalSpent?.currency ?? null),
    clientHires: readCount(client?.totalHires),
    clientPostedJobs: readCount(client?.totalPostedJobs),
    clientRating: readRating(client?.totalFeedback, client?.totalReviews),
    clientReviews: readCount(client?.totalReviews),
    clientPaymentVerified: IS_VERIFIED.get(client?.verificationStatus) ?? null,
    applicants: readCount(job.totalApplicants),
    freelancersToHire: readCount(freelancersToHire),
    isFilled: readCount(freelancersToHire) === null ? null : freelancersToHire === 0,
    alreadyApplied: job.applied ?? null,
    premium: job.premium ?? null,
    enterprise: job.enterprise ?? null,
    preferredLocations,
    locationRequired: preferredLocations === null ? null : (job.preferredFreelancerLocationMandatory ?? null),
  };
}

/** Returns a price with two places; null for zero, Upwork's "no price", and for more than the columns store. */
export function readPrice(value: string | number | null | undefined): string | null {
  const cents = Math.round(Number(value ?? 0) * 100);
  return cents > 0 && cents <= 100 * MAX_AMOUNT ? (cents / 100).toFixed(2) : null;
}

/** Returns an hourly range with its lower rate first, as the columns require. */
export function readRates(
  min: string | number | null | undefined,
  max: string | number | null | undefined,
): Pick<CreateJobDto, 'hourlyRateMin' | 'hourlyRateMax'> {
  const [one, other] = [readPrice(min), readPrice(max)];
  const isReversed = one !== null && other !== null && Number(one) > Number(other);
  return isReversed ? { hourlyRateMin: other, hourlyRateMax: one } : { hourlyRateMin: one, hourlyRateMax: other };
}

/** Returns an amount with two places; zero is an amount. */
function readAmount(rawValue: string | number | undefined): string | null {
  const value = rawValue === undefined || rawValue === '' ? NaN : Number(rawValue);
  return value >= 0 ? Math.min(value, MAX_AMOUNT).toFixed(2) : null;
}

function readCount(count: number | null | undefined): number | null {
  return Number.isInteger(count) && Number(count) >= 0 ? Math.min(Number(count), MAX_COUNT) : null;
}

/** Returns null for a client without a review: Upwork gives such a client a rating of zero. */
function readRating(rating: number | null | undefined, reviews: number | null | undefined): number | null {
  const isRated = reviews === 0 ? false : Boolean(reviews) || Number(rating) > 0;
  const isKnown = typeof rating === 'number' && rating >= 0 && rating <= 5;
  return isKnown && isRated ? Math.round(rating * 100) / 100 : null;
}

/** Returns null for no preference. */
function readPlaces(places: UpworkJob['preferredFreelancerLocation']): string[] | null {
  const known = (places ?? []).flatMap((place) => place?.trim() || []);
  if (known.length === 0) return null;
  return known.slice(0, MAX_PLACES).map((place) => truncateToCodePoints(place, MAX_PLACE_LENGTH));
}

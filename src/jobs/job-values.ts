/** Payment of a job. */
export const JOB_TYPES = ['fixed', 'hourly'] as const;
/** One of JOB_TYPES. */
export type JobType = (typeof JOB_TYPES)[number];

/** Required experience, in Upwork's terms. */
export const EXPERIENCE_LEVELS = ['entry', 'intermediate', 'expert'] as const;
/** One of EXPERIENCE_LEVELS. */
export type ExperienceLevel = (typeof EXPERIENCE_LEVELS)[number];

/** Statuses of a job. Rows are never deleted, only marked as deleted. */
export const JOB_STATUSES = ['active', 'archived', 'deleted'] as const;
/** One of JOB_STATUSES. */
export type JobStatus = (typeof JOB_STATUSES)[number];

/** Statuses a caller may set. Only DELETE sets deleted. */
export const SETTABLE_JOB_STATUSES = ['active', 'archived'] as const satisfies readonly JobStatus[];
/** One of SETTABLE_JOB_STATUSES. */
export type SettableJobStatus = (typeof SETTABLE_JOB_STATUSES)[number];

/** Limits of clientInfo: bytes as text, and levels. */
export const CLIENT_INFO_LIMITS = { maxBytes: 16_384, maxDepth: 8 } as const;

/**
 * Sort orders of the list; `-` is descending. A fact of the client or the competition has one direction, which an index
 * serves.
 */
export const JOB_SORTS = [
  'createdAt',
  '-createdAt',
  'budgetMax',
  '-budgetMax',
  'hourlyRateMax',
  '-hourlyRateMax',
  'title',
  '-title',
  '-postedAt',
  '-clientSpent',
  '-clientRating',
  'applicants',
] as const;
/** One of JOB_SORTS. */
export type JobSort = (typeof JOB_SORTS)[number];

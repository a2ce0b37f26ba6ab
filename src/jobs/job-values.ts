/** How a vacancy pays. */
export const JOB_TYPES = ['fixed', 'hourly'] as const;
/** One of JOB_TYPES. */
export type JobType = (typeof JOB_TYPES)[number];

/** What a vacancy asks of the freelancer, as Upwork names it. */
export const EXPERIENCE_LEVELS = ['entry', 'intermediate', 'expert'] as const;
/** One of EXPERIENCE_LEVELS. */
export type ExperienceLevel = (typeof EXPERIENCE_LEVELS)[number];

/** Where a job stands; deleted is the only form of deletion. */
export const JOB_STATUSES = ['active', 'archived', 'deleted'] as const;
/** One of JOB_STATUSES. */
export type JobStatus = (typeof JOB_STATUSES)[number];

/** What a caller may set; deleted is set by DELETE alone. */
export const SETTABLE_JOB_STATUSES = ['active', 'archived'] as const satisfies readonly JobStatus[];
/** One of SETTABLE_JOB_STATUSES. */
export type SettableJobStatus = (typeof SETTABLE_JOB_STATUSES)[number];

/** Largest clientInfo: bytes as text, and levels. */
export const CLIENT_INFO_LIMITS = [16_384, 8] as const;

/** Orders of a list; `-` is descending. */
export const JOB_SORTS = [
  'createdAt',
  '-createdAt',
  'budgetMax',
  '-budgetMax',
  'hourlyRateMax',
  '-hourlyRateMax',
  'title',
  '-title',
] as const;
/** One of JOB_SORTS. */
export type JobSort = (typeof JOB_SORTS)[number];

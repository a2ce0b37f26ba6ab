const TEXT = { type: 'string' } as const;
const OPTIONAL_TEXT = { type: 'string', nullable: true } as const;
const INTEGER = { type: 'integer' } as const;
const TIME = { type: 'string', format: 'date-time' } as const;
const TEXTS = { type: 'array', items: TEXT } as const;
const OPTIONAL_INTEGER = { ...INTEGER, nullable: true } as const;
const OPTIONAL_NUMBER = { type: 'number', nullable: true } as const;
const OPTIONAL_BOOLEAN = { type: 'boolean', nullable: true } as const;
const OPTIONAL_TIME = { ...TIME, nullable: true } as const;
const OPTIONAL_TEXTS = { ...TEXTS, nullable: true } as const;

/** A job in the baseline's responses. */
export const JOB_SCHEMA = {
  type: 'object',
  properties: {
    id: INTEGER,
    upworkJobId: OPTIONAL_TEXT,
    title: TEXT,
    description: OPTIONAL_TEXT,
    budgetMin: OPTIONAL_TEXT,
    budgetMax: OPTIONAL_TEXT,
    hourlyRateMin: OPTIONAL_TEXT,
    hourlyRateMax: OPTIONAL_TEXT,
    currency: TEXT,
    skills: TEXTS,
    category: OPTIONAL_TEXT,
    subcategory: OPTIONAL_TEXT,
    country: OPTIONAL_TEXT,
    clientInfo: { type: 'object', additionalProperties: true, nullable: true },
    jobType: OPTIONAL_TEXT,
    experienceLevel: OPTIONAL_TEXT,
    duration: OPTIONAL_TEXT,
    workload: OPTIONAL_TEXT,
    postedAt: OPTIONAL_TIME,
    renewedAt: OPTIONAL_TIME,
    clientSpent: OPTIONAL_TEXT,
    clientSpentCurrency: OPTIONAL_TEXT,
    clientHires: OPTIONAL_INTEGER,
    clientPostedJobs: OPTIONAL_INTEGER,
    clientRating: OPTIONAL_NUMBER,
    clientReviews: OPTIONAL_INTEGER,
    clientPaymentVerified: OPTIONAL_BOOLEAN,
    clientMemberSince: OPTIONAL_TEXT,
    applicants: OPTIONAL_INTEGER,
    freelancersToHire: OPTIONAL_INTEGER,
    isFilled: OPTIONAL_BOOLEAN,
    alreadyApplied: OPTIONAL_BOOLEAN,
    premium: OPTIONAL_BOOLEAN,
    enterprise: OPTIONAL_BOOLEAN,
    preferredLocations: OPTIONAL_TEXTS,
    locationRequired: OPTIONAL_BOOLEAN,
    status: TEXT,
    isFavorite: { type: 'boolean' },
    version: INTEGER,
    createdAt: TIME,
    updatedAt: TIME,
  },
} as const;

/** The body of a new job. */
export const JOB_BODY = {
  type: 'object',
  required: ['title'],
  additionalProperties: false,
  properties: {
    upworkJobId: { type: 'string', maxLength: 100 },
    title: { type: 'string', minLength: 1, maxLength: 500 },
    description: { type: 'string', maxLength: 50_000 },
    budgetMin: { type: 'string', pattern: '^\\d{1,8}(\\.\\d{1,2})?$' },
    budgetMax: { type: 'string', pattern: '^\\d{1,8}(\\.\\d{1,2})?$' },
    skills: { type: 'array', maxItems: 50, items: { type: 'string', maxLength: 100 } },
    category: { type: 'string', maxLength: 100 },
    country: { type: 'string', maxLength: 100 },
    jobType: { enum: ['fixed', 'hourly'] },
    experienceLevel: { enum: ['entry', 'intermediate', 'expert'] },
  },
} as const;

/** A user's statistics. */
export const STATS_SCHEMA = {
  type: 'object',
  properties: {
    totalJobs: INTEGER,
    activeJobs: INTEGER,
    favoriteJobs: INTEGER,
    avgBudgetRange: TEXT,
    lastJobDate: OPTIONAL_TIME,
    refreshedAt: OPTIONAL_TIME,
  },
} as const;

/** A page of items. */
export function page(items: object): object {
  return { type: 'object', properties: { items: { type: 'array', items }, nextCursor: OPTIONAL_TEXT } };
}

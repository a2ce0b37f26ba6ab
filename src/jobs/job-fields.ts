import type { ApiPropertyOptions } from '@nestjs/swagger';
import { EXPERIENCE_LEVELS, JOB_TYPES } from './job-values';

/** OpenAPI descriptions of a job's fields; the examples together are a valid job. */
export const JOB_FIELDS = {
  upworkJobId: {
    type: String,
    nullable: true,
    maxLength: 100,
    description: "Upwork's id of the job; each user has it at most once.",
    example: '~01a2b3c4d5e6f70819',
  },
  title: {
    type: String,
    maxLength: 500,
    description: 'Title of the job.',
    example: 'Speed up slow PostgreSQL queries',
  },
  description: {
    type: String,
    nullable: true,
    maxLength: 50_000,
    description: 'Full text of the job.',
    example: 'Our reports take minutes. Find out why, and make them take seconds.',
  },
  budgetMin: {
    type: String,
    nullable: true,
    description: 'Lower end of the budget of a fixed-price job; not above budgetMax.',
    example: '500.00',
  },
  budgetMax: {
    type: String,
    nullable: true,
    description: 'Upper end of the budget of a fixed-price job.',
    example: '1000.00',
  },
  hourlyRateMin: {
    type: String,
    nullable: true,
    description: 'Lower end of the hourly rate; not above hourlyRateMax.',
    example: '25.00',
  },
  hourlyRateMax: {
    type: String,
    nullable: true,
    description: 'Upper end of the hourly rate.',
    example: '35.00',
  },
  currency: {
    type: String,
    description: 'Currency of all amounts, ISO 4217. The default for a new job is USD.',
    example: 'USD',
  },
  skills: {
    type: [String],
    maxItems: 50,
    description: 'Required skills, each at most 100 characters; repetitions are removed.',
    example: ['PostgreSQL', 'Performance Optimization'],
  },
  category: {
    type: String,
    nullable: true,
    maxLength: 100,
    description: 'Upwork category.',
    example: 'Web, Mobile & Software Dev',
  },
  subcategory: {
    type: String,
    nullable: true,
    maxLength: 100,
    description: 'Upwork subcategory.',
    example: 'Web Development',
  },
  country: { type: String, nullable: true, maxLength: 100, description: 'Country of the client.', example: 'Germany' },
  clientInfo: {
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'Information about the client: any JSON object of at most 16 KiB and 8 levels.',
    example: { rating: 4.9, hires: 12, paymentVerified: true },
  },
  jobType: {
    type: String,
    enum: JOB_TYPES,
    nullable: true,
    description: 'Payment: a fixed price or by the hour.',
    example: 'fixed',
  },
  experienceLevel: {
    type: String,
    enum: EXPERIENCE_LEVELS,
    nullable: true,
    description: 'Required experience.',
    example: 'expert',
  },
  duration: {
    type: String,
    nullable: true,
    maxLength: 100,
    description: 'Expected duration.',
    example: '1 to 3 months',
  },
  workload: {
    type: String,
    nullable: true,
    maxLength: 100,
    description: 'Expected workload.',
    example: 'Less than 30 hrs/week',
  },
  isFavorite: {
    type: Boolean,
    description: 'True for a favourite of the user. The default is false.',
    example: false,
  },
} as const satisfies Record<string, ApiPropertyOptions>;

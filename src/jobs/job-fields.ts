import type { ApiPropertyOptions } from '@nestjs/swagger';
import { EXPERIENCE_LEVELS, JOB_TYPES } from './job-values';

/** How the fields of a job are described wherever they appear in the OpenAPI document; the examples make a valid job. */
export const JOB_FIELDS = {
  upworkJobId: {
    type: String,
    nullable: true,
    maxLength: 100,
    description: "Upwork's own id of the vacancy; each tenant has it at most once.",
    example: '~01a2b3c4d5e6f70819',
  },
  title: {
    type: String,
    maxLength: 500,
    description: 'Headline of the vacancy.',
    example: 'Speed up slow PostgreSQL queries',
  },
  description: {
    type: String,
    nullable: true,
    maxLength: 50_000,
    description: 'Full text of the vacancy.',
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
    description: 'Currency of all amounts, ISO 4217. A new job without one gets USD.',
    example: 'USD',
  },
  skills: {
    type: [String],
    maxItems: 50,
    description: 'Skills asked for, each at most 100 characters; repetitions are dropped.',
    example: ['PostgreSQL', 'Performance Optimization'],
  },
  category: {
    type: String,
    nullable: true,
    maxLength: 100,
    description: 'Category.',
    example: 'Web, Mobile & Software Dev',
  },
  subcategory: {
    type: String,
    nullable: true,
    maxLength: 100,
    description: 'Part of the category.',
    example: 'Web Development',
  },
  country: { type: String, nullable: true, maxLength: 100, description: 'Country of the client.', example: 'Germany' },
  clientInfo: {
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'What is known of the client: any JSON object of at most 16 KiB and 8 levels.',
    example: { rating: 4.9, hires: 12, paymentVerified: true },
  },
  jobType: { type: String, enum: JOB_TYPES, nullable: true, description: 'How the vacancy pays.', example: 'fixed' },
  experienceLevel: {
    type: String,
    enum: EXPERIENCE_LEVELS,
    nullable: true,
    description: 'Experience the vacancy asks for.',
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
    description: 'Whether the user marked the job as a favourite. A new job is none unless it says so.',
    example: false,
  },
} as const satisfies Record<string, ApiPropertyOptions>;

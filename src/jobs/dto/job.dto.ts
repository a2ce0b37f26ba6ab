import { ApiProperty } from '@nestjs/swagger';
import { ApiAmount } from '../../platform/http/money-field';
import type { Job } from '../job.entity';
import { JOB_STATUSES, type ExperienceLevel, type JobStatus, type JobType } from '../job-values';
import { JOB_FIELDS } from './job-fields';

/** A job as the API shows it. */
export class JobDto {
  @ApiProperty({ type: 'integer', description: 'Id of the job.', example: 4711 })
  id: number;

  @ApiProperty(JOB_FIELDS.upworkJobId)
  upworkJobId: string | null;

  @ApiProperty(JOB_FIELDS.title)
  title: string;

  @ApiProperty(JOB_FIELDS.description)
  description: string | null;

  @ApiAmount(JOB_FIELDS.budgetMin)
  budgetMin: string | null;

  @ApiAmount(JOB_FIELDS.budgetMax)
  budgetMax: string | null;

  @ApiAmount(JOB_FIELDS.hourlyRateMin)
  hourlyRateMin: string | null;

  @ApiAmount(JOB_FIELDS.hourlyRateMax)
  hourlyRateMax: string | null;

  @ApiProperty(JOB_FIELDS.currency)
  currency: string;

  @ApiProperty(JOB_FIELDS.skills)
  skills: string[];

  @ApiProperty(JOB_FIELDS.category)
  category: string | null;

  @ApiProperty(JOB_FIELDS.subcategory)
  subcategory: string | null;

  @ApiProperty(JOB_FIELDS.country)
  country: string | null;

  @ApiProperty(JOB_FIELDS.clientInfo)
  clientInfo: Record<string, unknown> | null;

  @ApiProperty(JOB_FIELDS.jobType)
  jobType: JobType | null;

  @ApiProperty(JOB_FIELDS.experienceLevel)
  experienceLevel: ExperienceLevel | null;

  @ApiProperty(JOB_FIELDS.duration)
  duration: string | null;

  @ApiProperty(JOB_FIELDS.workload)
  workload: string | null;

  @ApiProperty({ type: String, enum: JOB_STATUSES, description: 'Where the job stands.', example: 'active' })
  status: JobStatus;

  @ApiProperty(JOB_FIELDS.isFavorite)
  isFavorite: boolean;

  @ApiProperty({
    type: 'integer',
    description: 'Grows with each change; the ETag is this number in quotes.',
    example: 1,
  })
  version: number;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When the job came in.',
    example: '2026-01-31T09:30:00.000Z',
  })
  createdAt: Date;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When the job last changed.',
    example: '2026-01-31T09:30:00.000Z',
  })
  updatedAt: Date;

  /** What of a job, or of a row with its fields, is for its tenant to see. */
  static from(job: Omit<Job, 'sourceKey' | 'userId'>): JobDto {
    return {
      id: job.id,
      upworkJobId: job.upworkJobId,
      title: job.title,
      description: job.description,
      budgetMin: job.budgetMin,
      budgetMax: job.budgetMax,
      hourlyRateMin: job.hourlyRateMin,
      hourlyRateMax: job.hourlyRateMax,
      currency: job.currency,
      skills: job.skills,
      category: job.category,
      subcategory: job.subcategory,
      country: job.country,
      clientInfo: job.clientInfo,
      jobType: job.jobType,
      experienceLevel: job.experienceLevel,
      duration: job.duration,
      workload: job.workload,
      status: job.status,
      isFavorite: job.isFavorite,
      version: job.version,
      createdAt: job.createdAt,
      updatedAt: job.updatedAt,
    };
  }
}

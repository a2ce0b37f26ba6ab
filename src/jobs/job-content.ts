import type { CreateJobDto } from './dto/create-job.dto';
import type { Job } from './job.entity';

/** The columns that say what a vacancy is; status and favourite say what its tenant thinks of it. */
export const CONTENT_FIELDS = [
  'upworkJobId',
  'title',
  'description',
  'budgetMin',
  'budgetMax',
  'hourlyRateMin',
  'hourlyRateMax',
  'currency',
  'skills',
  'category',
  'subcategory',
  'country',
  'clientInfo',
  'jobType',
  'experienceLevel',
  'duration',
  'workload',
] as const satisfies readonly (keyof Job)[];

/** What a vacancy is, without what its tenant thinks of it. */
export type JobContent = Pick<Job, (typeof CONTENT_FIELDS)[number]>;

/** Returns the columns a validated body stands for: what it leaves out is null, or the table's default. */
export function contentOf(dto: CreateJobDto): JobContent {
  return {
    upworkJobId: dto.upworkJobId ?? null,
    title: dto.title,
    description: dto.description ?? null,
    budgetMin: dto.budgetMin ?? null,
    budgetMax: dto.budgetMax ?? null,
    hourlyRateMin: dto.hourlyRateMin ?? null,
    hourlyRateMax: dto.hourlyRateMax ?? null,
    currency: dto.currency ?? 'USD',
    skills: dto.skills ?? [],
    category: dto.category ?? null,
    subcategory: dto.subcategory ?? null,
    country: dto.country ?? null,
    clientInfo: dto.clientInfo ?? null,
    jobType: dto.jobType ?? null,
    experienceLevel: dto.experienceLevel ?? null,
    duration: dto.duration ?? null,
    workload: dto.workload ?? null,
  };
}

import { ApiProperty } from '@nestjs/swagger';
import type { Job } from './job.entity';

const COUNT = { type: 'integer', nullable: true } as const;

/** Activity of the client on a posting; null where Upwork does not say it. */
export class JobActivityDto {
  @ApiProperty({ ...COUNT, description: 'Number of invitations sent.', example: 2 })
  invited: number | null;

  @ApiProperty({ ...COUNT, description: 'Number of interviews.', example: 1 })
  interviewed: number | null;

  @ApiProperty({ ...COUNT, description: 'Number of offers.', example: 0 })
  offered: number | null;

  @ApiProperty({ ...COUNT, description: 'Number of freelancers hired.', example: 0 })
  hired: number | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When the client was last active on the posting (UTC).',
    example: '2026-01-31T09:30:00.000Z',
  })
  lastActiveAt: string | null;
}

/** What only the full posting of a job says, as stored in jobs.details. */
export interface JobDetails {
  readonly refreshedAt: string;
  readonly isClosed: boolean | null;
  readonly questions: readonly string[];
  readonly activity: JobActivityDto;
}

/** Screening questions of a job in API responses. */
export class JobQuestionsDto {
  @ApiProperty({
    type: [String],
    description: 'Questions that a proposal must answer, in the order of the posting. Text of the client.',
    example: ['Which database have you made faster, and how much?'],
  })
  questions: readonly string[];

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When the posting was read (UTC); null: never. Read it with POST /v1/jobs/{id}/refresh.',
    example: null,
  })
  refreshedAt: string | null;

  /** Maps a job. */
  static from(this: void, { details }: Job): JobQuestionsDto {
    return { questions: details?.questions ?? [], refreshedAt: details?.refreshedAt ?? null };
  }
}

/** Details of a job in API responses. */
export class JobDetailsDto {
  @ApiProperty({ type: String, format: 'date-time', description: 'When the posting was read (UTC).' })
  refreshedAt: string;

  @ApiProperty({
    type: Boolean,
    nullable: true,
    description: 'True for a closed posting; null when Upwork does not say it.',
    example: false,
  })
  isClosed: boolean | null;

  @ApiProperty({ type: [String], description: 'Questions that a proposal must answer.', example: [] })
  questions: readonly string[];

  @ApiProperty({ type: JobActivityDto, description: 'Activity of the client on the posting.' })
  activity: JobActivityDto;
}

import { ApiProperty } from '@nestjs/swagger';

/** The states of a run; the last five are ends. */
export const RUN_OUTCOMES = [
  'queued',
  'running',
  'retrying',
  'succeeded',
  'partial',
  'skipped',
  'failed',
  'timed_out',
] as const;

/** One of RUN_OUTCOMES. */
export type RunOutcome = (typeof RUN_OUTCOMES)[number];

/** The outcomes that leave something undone, which a retry may still do. */
export const RETRYABLE: ReadonlySet<RunOutcome> = new Set(['failed', 'timed_out', 'partial']);

/** An attempt of a run that failed. */
export class FailedAttemptDto {
  @ApiProperty({ type: 'integer', description: 'The number of the attempt, from 1.', example: 1 })
  attempt: number;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When it started.',
    example: '2026-01-31T09:30:00.120Z',
  })
  startedAt: string;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When it ended.',
    example: '2026-01-31T09:30:00.480Z',
  })
  endedAt: string;

  @ApiProperty({ type: String, description: 'Why it failed.', example: 'canceling statement due to lock timeout' })
  error: string;
}

/** One run of a task, as an admin sees it. */
export class TaskRunDto {
  @ApiProperty({ type: 'integer', description: 'The id.', example: 501 })
  id: number;

  @ApiProperty({ type: String, description: 'The task.', example: 'refresh-job-stats' })
  task: string;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When it was due; null when somebody asked for it.',
    example: '2026-01-31T09:30:00.000Z',
  })
  scheduledFor: Date | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When its last attempt began; null while queued.',
    example: '2026-01-31T09:30:00.120Z',
  })
  startedAt: Date | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When its last attempt ended; null before.',
    example: '2026-01-31T09:30:00.480Z',
  })
  endedAt: Date | null;

  @ApiProperty({
    type: String,
    enum: RUN_OUTCOMES,
    description:
      '`skipped`: there was nothing to do. `partial`: it ended, and `figures.failed` items could not be done.',
    example: 'succeeded',
  })
  outcome: RunOutcome;

  @ApiProperty({
    type: String,
    enum: ['schedule', 'boot', 'admin', 'user'],
    description: 'What started it.',
    example: 'schedule',
  })
  startedBy: 'schedule' | 'boot' | 'admin' | 'user';

  @ApiProperty({ type: 'integer', nullable: true, description: 'The admin who asked for it.', example: 1 })
  startedById: number | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'The run it repeats, which failed wholly or in part.',
    example: 500,
  })
  retryOf: number | null;

  @ApiProperty({ type: 'integer', description: 'How often it was begun.', example: 1 })
  attempts: number;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'What it tells of its work.',
    example: { refreshMs: 48 },
  })
  figures: Record<string, unknown> | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Why its last attempt failed.',
    example: 'canceling statement due to lock timeout',
  })
  error: string | null;

  @ApiProperty({ type: [FailedAttemptDto], description: 'Every attempt that failed, oldest first.' })
  failedAttempts: FailedAttemptDto[];
}

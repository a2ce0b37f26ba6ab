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

/** A scheduled task, as an admin sees it. */
export class TaskDto {
  @ApiProperty({ type: String, description: 'The id.', example: 'refresh-job-stats' })
  id: string;

  @ApiProperty({
    type: String,
    description: 'What a run does.',
    example: 'Counts the jobs of every user anew for the statistics (user_job_stats).',
  })
  description: string;

  @ApiProperty({
    type: String,
    description: 'What suffers when it does not run.',
    example: 'Statistics grow old; each answer says of when they are.',
  })
  whatAMissMeans: string;

  @ApiProperty({
    type: String,
    description: 'When it runs: minute, hour, day of month, month, day of week.',
    example: '17 3 * * *',
  })
  cron: string;

  @ApiProperty({ type: String, description: 'The time zone of `cron`.', example: 'UTC' })
  timezone: string;

  @ApiProperty({ type: Boolean, description: 'Whether its schedule rests.', example: false })
  paused: boolean;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When it is due; null while paused or before a worker has started. In the past: no worker takes it.',
    example: '2026-01-31T09:35:00.000Z',
  })
  nextRunAt: Date | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'How long a run usually takes: the median of the last 20 that succeeded, in milliseconds.',
    example: 48,
  })
  usualDurationMs: number | null;

  @ApiProperty({ type: TaskRunDto, nullable: true, description: 'Its latest run.' })
  lastRun: TaskRunDto | null;
}

/** All scheduled tasks; there are few, so there are no pages. */
export class TaskListDto {
  @ApiProperty({ type: [TaskDto], description: 'The tasks, in the order of their declaration.' })
  items: TaskDto[];
}

/** Something that is wrong with a scheduled task now. */
export class TaskAlertDto {
  @ApiProperty({ type: 'integer', description: 'The alert.', example: 7 })
  id: number;

  @ApiProperty({ type: String, description: 'The task.', example: 'refresh-job-stats' })
  task: string;

  @ApiProperty({
    type: String,
    enum: ['missed', 'overlong', 'failed'],
    description: 'No worker took its firing; a run takes too long; its latest run failed for good.',
    example: 'missed',
  })
  kind: 'missed' | 'overlong' | 'failed';

  @ApiProperty({
    type: String,
    description: 'What is wrong.',
    example: 'was due at 2026-01-31 09:30 UTC and no worker took it',
  })
  reason: string;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When it was found.',
    example: '2026-01-31T09:32:00.000Z',
  })
  createdAt: Date;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When the admins were told by mail.',
    example: '2026-01-31T09:32:01.000Z',
  })
  mailedAt: Date | null;
}

/** The alerts that stand. */
export class TaskAlertListDto {
  @ApiProperty({ type: [TaskAlertDto], description: 'Newest first, 100 at most.' })
  items: TaskAlertDto[];
}

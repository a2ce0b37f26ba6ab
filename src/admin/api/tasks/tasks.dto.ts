import { ApiProperty } from '@nestjs/swagger';
import { ApiInstant } from '../../../platform/http/openapi/dto-fields';

/** The states of a run; the last five are final. */
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

/** State of a run, one of RUN_OUTCOMES. */
export type RunOutcome = (typeof RUN_OUTCOMES)[number];

/** Outcomes that a retry can resolve. */
export const RETRYABLE: ReadonlySet<RunOutcome> = new Set(['failed', 'timed_out', 'partial']);

/** A failed attempt of a run. */
export class FailedAttemptDto {
  @ApiProperty({ type: 'integer', description: 'Number of the attempt, from 1.', example: 1 })
  attempt: number;

  @ApiInstant({ description: 'When the attempt started (UTC).', example: '2026-01-31T09:30:00.120Z' })
  startedAt: string;

  @ApiInstant({ description: 'When the attempt ended (UTC).', example: '2026-01-31T09:30:00.480Z' })
  endedAt: string;

  @ApiProperty({
    type: String,
    description: 'Reason of the failure.',
    example: 'canceling statement due to lock timeout',
  })
  error: string;
}

/** A run of a task. */
export class TaskRunDto {
  @ApiProperty({ type: 'integer', description: 'Id of the run.', example: 501 })
  id: number;

  @ApiProperty({ type: String, description: 'Id of the task.', example: 'refresh-job-stats' })
  task: string;

  @ApiInstant({
    nullable: true,
    description: 'When the run was due (UTC). Null for a requested run.',
    example: '2026-01-31T09:30:00.000Z',
  })
  scheduledFor: Date | null;

  @ApiInstant({
    nullable: true,
    description: 'When the last attempt started (UTC). Null while queued.',
    example: '2026-01-31T09:30:00.120Z',
  })
  startedAt: Date | null;

  @ApiInstant({
    nullable: true,
    description: 'When the last attempt ended (UTC). Null before.',
    example: '2026-01-31T09:30:00.480Z',
  })
  endedAt: Date | null;

  @ApiProperty({
    type: String,
    enum: RUN_OUTCOMES,
    description:
      'State of the run. `skipped`: there was nothing to do. `partial`: it ended, but `figures.failed` items failed.',
    example: 'succeeded',
  })
  outcome: RunOutcome;

  @ApiProperty({
    type: String,
    enum: ['schedule', 'boot', 'admin', 'user'],
    description: 'Origin of the run.',
    example: 'schedule',
  })
  startedBy: 'schedule' | 'boot' | 'admin' | 'user';

  @ApiProperty({ type: 'integer', nullable: true, description: 'Id of the admin who requested the run.', example: 1 })
  startedById: number | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Id of the failed run that it retries.',
    example: 500,
  })
  retryOf: number | null;

  @ApiProperty({ type: 'integer', description: 'Number of attempts so far.', example: 1 })
  attempts: number;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'Result of the run; the fields depend on the task.',
    example: { refreshMs: 48 },
  })
  figures: Record<string, unknown> | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Reason why the last attempt failed.',
    example: 'canceling statement due to lock timeout',
  })
  error: string | null;

  @ApiProperty({ type: [FailedAttemptDto], description: 'Failed attempts, oldest first.' })
  failedAttempts: FailedAttemptDto[];
}

/** A scheduled task with its state. */
export class TaskDto {
  @ApiProperty({ type: String, description: 'Id of the task.', example: 'refresh-job-stats' })
  id: string;

  @ApiProperty({
    type: String,
    description: 'Purpose of a run.',
    example: 'Recomputes the job statistics of every user (user_job_stats).',
  })
  description: string;

  @ApiProperty({
    type: String,
    description: 'Consequence of a missed run.',
    example: 'Statistics become outdated; each answer contains their time.',
  })
  missedRunImpact: string;

  @ApiProperty({
    type: String,
    description: 'Schedule as a cron expression: minute, hour, day of month, month, day of week.',
    example: '17 3 * * *',
  })
  cron: string;

  @ApiProperty({ type: String, description: 'Time zone of `cron`.', example: 'UTC' })
  timezone: string;

  @ApiProperty({ type: Boolean, description: 'True when the schedule is paused.', example: false })
  paused: boolean;

  @ApiInstant({
    nullable: true,
    description:
      'When the next run is due (UTC). Null while paused or before a worker has started. A past time ' +
      'means no worker takes it.',
    example: '2026-01-31T09:35:00.000Z',
  })
  nextRunAt: Date | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Median duration of the last 20 runs that succeeded, fully or in part, in milliseconds.',
    example: 48,
  })
  usualDurationMs: number | null;

  @ApiProperty({ type: TaskRunDto, nullable: true, description: 'Latest run of the task.' })
  lastRun: TaskRunDto | null;
}

/** All scheduled tasks; they are few, so the list has no pages. */
export class TaskListDto {
  @ApiProperty({ type: [TaskDto], description: 'Scheduled tasks, in declaration order.' })
  items: TaskDto[];
}

/** An open problem of a scheduled task. */
export class TaskAlertDto {
  @ApiProperty({ type: 'integer', description: 'Id of the alert.', example: 7 })
  id: number;

  @ApiProperty({ type: String, description: 'Id of the task.', example: 'refresh-job-stats' })
  task: string;

  @ApiProperty({
    type: String,
    enum: ['missed', 'overlong', 'failed'],
    description:
      '`missed`: no worker took a due run. `overlong`: a run takes too long. `failed`: the latest run ' +
      'failed after all retries.',
    example: 'missed',
  })
  kind: 'missed' | 'overlong' | 'failed';

  @ApiProperty({
    type: String,
    description: 'Description of the problem.',
    example: 'was due at 2026-01-31 09:30 UTC and no worker took it',
  })
  reason: string;

  @ApiInstant({ description: 'When the problem was found (UTC).', example: '2026-01-31T09:32:00.000Z' })
  createdAt: Date;

  @ApiInstant({
    nullable: true,
    description: 'When the admins were notified by email (UTC). Null before.',
    example: '2026-01-31T09:32:01.000Z',
  })
  mailedAt: Date | null;
}

/** The open task alerts. */
export class TaskAlertListDto {
  @ApiProperty({ type: [TaskAlertDto], description: 'Open alerts, newest first, at most 100.' })
  items: TaskAlertDto[];
}

import { ApiProperty } from '@nestjs/swagger';
import { TaskRunDto } from './task-run.dto';

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

import { ApiProperty } from '@nestjs/swagger';

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

import { ApiProperty } from '@nestjs/swagger';

/** How a backup stands; only `verified` is one. */
const BACKUP_STATUSES = ['pending', 'running', 'verified', 'failed'] as const;

/** A backup, as an admin sees it. */
export class BackupDto {
  @ApiProperty({ type: 'integer', description: 'Its id, by which `npm run restore` knows it.', example: 12 })
  id: number;

  @ApiProperty({
    type: String,
    enum: BACKUP_STATUSES,
    description:
      '`pending`: asked for; `running`: being made, or restored to see that it can be; `verified`: restored and found equal; `failed`: worth nothing.',
    example: 'verified',
  })
  status: (typeof BACKUP_STATUSES)[number];

  @ApiProperty({
    type: String,
    enum: ['schedule', 'boot', 'admin'],
    description: 'What started it.',
    example: 'schedule',
  })
  startedBy: 'schedule' | 'boot' | 'admin';

  @ApiProperty({ type: 'integer', nullable: true, description: 'The admin who asked for it.', example: 1 })
  startedById: number | null;

  @ApiProperty({ type: String, nullable: true, description: 'Why he did.', example: 'before the upgrade' })
  reason: string | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When it was begun or asked for.',
    example: '2026-01-31T02:12:00.000Z',
  })
  createdAt: Date;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Where its file is: in a folder or in an S3 store; null before.',
    example: 'folder',
  })
  store: 'folder' | 's3' | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Its file.',
    example: 'gigvault-20260131T021200Z-12.backup',
  })
  fileName: string | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Size of the file; null before it is written.',
    example: 7340032,
  })
  sizeBytes: number | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When it was last restored and found equal; null when it was not.',
    example: '2026-01-31T02:12:41.000Z',
  })
  verifiedAt: Date | null;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'What the check compared, and how long it took.',
    example: { tables: 40, rows: 120000, dumpMs: 2100, checkMs: 8300 },
  })
  figures: Record<string, unknown> | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Why it failed.',
    example: 'BACKUP_DIR is not usable: the disk is full.',
  })
  error: string | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When its file was removed, by the rule of what is kept.',
    example: '2026-03-07T02:12:41.000Z',
  })
  removedAt: Date | null;
}

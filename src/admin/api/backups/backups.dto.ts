import { ApiProperty } from '@nestjs/swagger';
import { ApiInstant } from '../../../platform/http/openapi/dto-fields';

/** The states of a backup; only a `verified` one is known to be restorable. */
const BACKUP_STATUSES = ['pending', 'running', 'verified', 'failed'] as const;

/** A backup, without its content. */
export class BackupDto {
  @ApiProperty({ type: 'integer', description: 'Id of the backup, also accepted by `npm run restore`.', example: 12 })
  id: number;

  @ApiProperty({
    type: String,
    enum: BACKUP_STATUSES,
    description:
      '`pending`: queued. `running`: being made or checked. `verified`: restored and equal to the ' +
      'database. `failed`: unusable, see `error`.',
    example: 'verified',
  })
  status: (typeof BACKUP_STATUSES)[number];

  @ApiProperty({
    type: String,
    enum: ['schedule', 'boot', 'admin'],
    description: 'Origin of the backup.',
    example: 'schedule',
  })
  startedBy: 'schedule' | 'boot' | 'admin';

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Id of the admin who requested the backup.',
    example: 1,
  })
  startedById: number | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Reason given by the admin.',
    example: 'before the upgrade',
  })
  reason: string | null;

  @ApiInstant({ description: 'When the backup was started or requested (UTC).', example: '2026-01-31T02:12:00.000Z' })
  createdAt: Date;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Store of the file: a folder or S3. Null before the file is written.',
    example: 'folder',
  })
  store: 'folder' | 's3' | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Name of the file. Null before it is written.',
    example: 'gigvault-20260131T021200Z-12.backup',
  })
  fileName: string | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Size of the file. Null before it is written.',
    example: 7340032,
  })
  sizeBytes: number | null;

  @ApiInstant({
    nullable: true,
    description: 'When the backup last passed its check (UTC). Null when it has not.',
    example: '2026-01-31T02:12:41.000Z',
  })
  verifiedAt: Date | null;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'Counts and durations of the dump and of the check.',
    example: { tables: 40, rows: 120000, dumpMs: 2100, checkMs: 8300 },
  })
  figures: Record<string, unknown> | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Reason of the failure.',
    example: 'BACKUP_DIR is not usable: the disk is full.',
  })
  error: string | null;

  @ApiInstant({
    nullable: true,
    description: 'When the retention policy removed the file (UTC). Null while it is kept.',
    example: '2026-03-07T02:12:41.000Z',
  })
  removedAt: Date | null;
}

import { ApiProperty } from '@nestjs/swagger';
import { SYNC_KINDS, type SyncCounts, type SyncKind } from './sync-run';
import type { SyncRow } from './syncs.queries';

const STATUSES = ['queued', 'running', 'succeeded', 'postponed', 'failed'] as const;

/** Sync in API responses. */
export class SyncDto {
  @ApiProperty({ type: 'integer', description: 'Id of the sync.', example: 5 })
  id: number;

  @ApiProperty({ type: 'integer', description: 'Id of its connection.', example: 3 })
  connectionId: number;

  @ApiProperty({ enum: SYNC_KINDS, description: 'Kind of data that it fetches.', example: 'jobs' })
  kind: SyncKind;

  @ApiProperty({
    enum: STATUSES,
    description:
      "Status of the latest run. `postponed`: the day's calls to Upwork were used before it ended; it runs again " +
      'after 00:00 UTC.',
    example: 'queued',
  })
  status: (typeof STATUSES)[number];

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When it last succeeded (UTC).',
    example: null,
  })
  lastSuccessAt: Date | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Maximum age of the data, in seconds.',
    example: 120,
  })
  lagSeconds: number | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When it next runs automatically (UTC).',
    example: '2026-01-31T09:30:00.000Z',
  })
  nextRunAt: Date;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Error of the latest run; after a success, summary of the parts that failed.',
    example: null,
  })
  lastError: string | null;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer' },
    description: 'Counts of the last successful run; `partial` counts answers that Upwork could not give whole.',
    example: { created: 3 },
  })
  figures: SyncCounts;

  @ApiProperty({
    type: [String],
    description:
      'Parts of Upwork that the API key could not read in the latest run; its owner must add the permission.',
    example: [],
  })
  missingPermissions: readonly string[];

  /** Maps a row. */
  static from(this: void, row: SyncRow): SyncDto {
    const {
      id,
      tokenId: connectionId,
      kind,
      succeededAt,
      watermark,
      nextAt: nextRunAt,
      lastError,
      figures,
      missingPermissions,
    } = row;
    const lagSeconds = watermark && Math.max(0, Math.round((Date.now() - watermark.getTime()) / 1_000));
    return {
      id,
      connectionId,
      kind,
      status: computeStatus(row),
      lastSuccessAt: succeededAt,
      lagSeconds,
      nextRunAt,
      lastError,
      figures,
      missingPermissions,
    };
  }
}

function computeStatus(row: SyncRow): SyncDto['status'] {
  const { isRunning, requestedAt, startedAt, failures, succeededAt, postponedUntil } = row;
  if (isRunning) return 'running';
  if (requestedAt !== null && (startedAt === null || requestedAt > startedAt)) return 'queued';
  if (postponedUntil !== null) return 'postponed';
  if (failures > 0) return 'failed';
  return succeededAt === null ? 'queued' : 'succeeded';
}

/** Syncs, one for each kind and connection. */
export class SyncListDto {
  @ApiProperty({ type: [SyncDto], description: 'Syncs.' })
  items: SyncDto[];
}

import { ApiProperty } from '@nestjs/swagger';
import { SYNC_KINDS, type SyncCounts, type SyncKind } from './sync-run';
import type { SyncRow } from './syncs.queries';

/** Where a synchronisation stands. */
export class SyncDto {
  @ApiProperty({ type: 'integer', description: 'The id.', example: 5 })
  id: number;

  @ApiProperty({ type: 'integer', description: 'The connection it is of.', example: 3 })
  connectionId: number;

  @ApiProperty({ enum: SYNC_KINDS, description: 'What it brings in.', example: 'jobs' })
  kind: SyncKind;

  @ApiProperty({
    enum: ['queued', 'running', 'succeeded', 'failed'],
    description: 'Of the latest run.',
    example: 'queued',
  })
  status: 'queued' | 'running' | 'succeeded' | 'failed';

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When it last succeeded.',
    example: null,
  })
  lastSuccessAt: Date | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'How old what is here may be, in seconds.',
    example: 120,
  })
  lagSeconds: number | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When it runs next by itself.',
    example: '2026-01-31T09:30:00.000Z',
  })
  nextRunAt: Date;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Why the latest run failed; after one that succeeded: which parts of it did not.',
    example: null,
  })
  lastError: string | null;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer' },
    description: 'What the last run that succeeded did.',
    example: { created: 3 },
  })
  figures: SyncCounts;

  /** Shows a row of the table. */
  static from(this: void, row: SyncRow): SyncDto {
    const { id, tokenId: connectionId, kind, succeededAt, watermark, nextAt: nextRunAt, lastError, figures } = row;
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
    };
  }
}

function computeStatus({ isRunning, requestedAt, startedAt, failures, succeededAt }: SyncRow): SyncDto['status'] {
  if (isRunning) return 'running';
  if (requestedAt !== null && (startedAt === null || requestedAt > startedAt)) return 'queued';
  if (failures > 0) return 'failed';
  return succeededAt === null ? 'queued' : 'succeeded';
}

/** Synchronisations, one for each kind of each connection. */
export class SyncListDto {
  @ApiProperty({ type: [SyncDto], description: 'The synchronisations.' })
  items: SyncDto[];
}

import { ApiProperty } from '@nestjs/swagger';
import { ApiInstant } from '../../../platform/http/openapi/dto-fields';
import { InstantField } from '../../../platform/http/validation/fields';
import { ReasonDto } from '../reason.dto';

const STATUSES = ['pending', 'running', 'finished', 'failed'] as const;

/** Which rows of the logs to verify; without times all of them. */
export class VerifyLogsDto extends ReasonDto {
  @InstantField({ optional: true, description: 'Only rows at or after this time.', example: '2026-01-01T00:00:00Z' })
  from?: Date;

  @InstantField({ optional: true, description: 'Only rows before this time.', example: '2027-01-01T00:00:00Z' })
  to?: Date;
}

/** A difference between the logs and their seals. */
class TamperingDto {
  @ApiProperty({ type: String, description: 'Row, seal, tile or head that differs.', example: 'audit_logs 42' })
  place: string;

  @ApiProperty({ type: String, description: 'What is wrong with it.', example: 'it was changed' })
  problem: string;
}

/** The result of a verification. */
class VerificationReportDto {
  @ApiProperty({ type: 'integer', description: 'Number of entries of the tree.', example: 1200 })
  treeSize: number;

  @ApiProperty({ type: 'integer', description: 'Number of seals.', example: 7 })
  seals: number;

  @ApiProperty({ type: 'integer', description: 'Rows that were compared with their seals.', example: 1190 })
  rows: number;

  @ApiProperty({ type: 'integer', description: 'Rows whose values were erased with their user.', example: 10 })
  erased: number;

  @ApiProperty({
    type: 'integer',
    description: 'Sealed rows that were deleted or archived because of their age.',
    example: 10,
  })
  removed: number;

  @ApiProperty({ type: 'integer', description: 'Committed rows that no seal covers yet.', example: 0 })
  unsealed: number;

  @ApiProperty({ type: 'integer', description: 'Entries that a witness has cosigned.', example: 1200 })
  witnessed: number;

  @ApiProperty({ type: 'integer', description: 'Number of differences; 0 when nothing was changed.', example: 0 })
  differences: number;

  @ApiProperty({ type: [TamperingDto], description: 'The first 1,000 differences.' })
  tampering: TamperingDto[];
}

/** A verification of the logs. */
export class LogVerificationDto {
  @ApiProperty({ type: 'integer', description: 'Id of the verification.', example: 3 })
  id: number;

  @ApiProperty({
    type: String,
    enum: STATUSES,
    description:
      '`pending`: a worker will take it. `running`: see `progress`. `finished`: see `report`. `failed`: it ended ' +
      'without a report, see `error`.',
    example: 'finished',
  })
  status: (typeof STATUSES)[number];

  @ApiProperty({ type: Number, description: 'Share of the work that is done, from 0 to 1.', example: 1 })
  progress: number;

  @ApiInstant({ nullable: true, description: 'Only rows at or after this time (UTC); null for all.' })
  from: Date | null;

  @ApiInstant({ nullable: true, description: 'Only rows before this time (UTC); null for all.' })
  to: Date | null;

  @ApiProperty({ type: 'integer', description: 'Id of the admin who requested it.', example: 1 })
  startedById: number;

  @ApiInstant({ description: 'When it was requested (UTC).' })
  createdAt: Date;

  @ApiInstant({ nullable: true, description: 'When a worker began (UTC).' })
  startedAt: Date | null;

  @ApiInstant({ nullable: true, description: 'When it ended (UTC).' })
  endedAt: Date | null;

  @ApiProperty({ type: VerificationReportDto, nullable: true, description: 'The result; null until it is finished.' })
  report: VerificationReportDto | null;

  @ApiProperty({ type: String, nullable: true, description: 'Reason of the failure.', example: null })
  error: string | null;
}

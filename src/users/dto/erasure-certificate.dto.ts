import { ApiProperty } from '@nestjs/swagger';

/** What was erased, and what is left until when. */
export class ErasureCertificateDto {
  @ApiProperty({ description: 'Number the account had; it is never given again.', example: 7 })
  readonly userId: number;

  @ApiProperty({ description: 'When it was erased.', format: 'date-time', example: '2026-01-31T09:30:00.000Z' })
  readonly erasedAt: Date;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer' },
    description: 'Rows that were deleted, by table.',
    example: { users: 1, jobs: 120, proposals: 14 },
  })
  readonly deletedRows: Record<string, number>;

  @ApiProperty({ description: 'Rows of the audit log whose values were forgotten.', example: 160 })
  readonly auditRowsForgotten: number;

  @ApiProperty({ description: 'Security events whose address, agent and details were forgotten.', example: 12 })
  readonly securityEventsForgotten: number;

  @ApiProperty({ description: 'Sessions that were ended.', example: 2 })
  readonly sessionsEnded: number;

  @ApiProperty({
    description:
      'Until when older backups hold the account; what was sealed in them has no key any more from the first backup after it on.',
    format: 'date-time',
    example: '2026-03-07T09:30:00.000Z',
  })
  readonly backupsHoldItUntil: Date;

  @ApiProperty({
    type: [String],
    description: 'What stays, and for how long.',
    example: ['job statistics: two numbers and a date without a name, until their next refresh, within an hour'],
  })
  readonly whatStays: string[];
}

import { ApiProperty } from '@nestjs/swagger';
import { ChangeDto } from './change.dto';

/** One row of the audit log. */
export class AuditLogDto extends ChangeDto {
  @ApiProperty({ type: 'integer', description: 'The id.', example: 1001 })
  id: number;

  @ApiProperty({ type: String, description: 'The table of the record.', example: 'proposals' })
  table: string;

  @ApiProperty({ type: 'integer', nullable: true, description: 'The id of the record.', example: 7 })
  recordId: number | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'What was being done.',
    example: 'PATCH /v1/proposals/:id',
  })
  operation: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The X-Request-Id of it.',
    example: '5b0f2b0e-5c3a-4d2e-9d5e-2f8f0a6f4d11',
  })
  requestId: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Why, where an admin or a task had to say so.',
    example: null,
  })
  reason: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'The address it came from.', example: '203.0.113.7' })
  ipAddress: string | null;
}

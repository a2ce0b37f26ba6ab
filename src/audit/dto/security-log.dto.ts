import { ApiProperty } from '@nestjs/swagger';

/** One event that matters for security. */
export class SecurityLogDto {
  @ApiProperty({ type: 'integer', description: 'The id.', example: 501 })
  id: number;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When it happened (UTC).',
    example: '2026-01-31T09:30:00.000Z',
  })
  at: Date;

  @ApiProperty({ type: 'integer', nullable: true, description: 'The user it is about, if known.', example: 7 })
  userId: number | null;

  @ApiProperty({ type: String, description: 'What happened.', example: 'login.failed' })
  eventType: string;

  @ApiProperty({ type: Boolean, description: 'Whether it succeeded.', example: false })
  success: boolean;

  @ApiProperty({ type: String, nullable: true, description: 'The address it came from.', example: '203.0.113.7' })
  ipAddress: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'The program it came from.', example: 'Mozilla/5.0' })
  userAgent: string | null;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'What else is known; never a secret.',
    example: { reason: 'read the audit log' },
  })
  details: Record<string, unknown> | null;
}

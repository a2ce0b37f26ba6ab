import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIP, Matches } from 'class-validator';
import { BooleanParam, Instant, IntegerParam, OptionalField } from '../../platform/http/validation/fields';
import { PageQueryDto } from '../../platform/http/pagination/page.dto';

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

/** Filters of one's own part of the security log; newest first. */
export class ListOwnSecurityLogsDto extends PageQueryDto {
  @ApiPropertyOptional({ type: String, description: 'Only events of this type.', example: 'auth.login' })
  @OptionalField()
  @Matches(/^[a-z0-9_.-]{1,100}$/, { message: 'eventType must be the name of an event, such as auth.login' })
  eventType?: string;

  @ApiPropertyOptional({ type: Boolean, description: 'Only what succeeded, or only what failed.', example: false })
  @BooleanParam()
  success?: boolean;

  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    description: 'Only from this instant on.',
    example: '2026-01-01T00:00:00Z',
  })
  @OptionalField()
  @Instant()
  from?: Date;

  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    description: 'Only before this instant.',
    example: '2027-01-01T00:00:00Z',
  })
  @OptionalField()
  @Instant()
  to?: Date;
}

/** Filters of the security log; newest first. */
export class ListSecurityLogsDto extends ListOwnSecurityLogsDto {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, description: 'Only events about this user.', example: 7 })
  @IntegerParam(1, Number.MAX_SAFE_INTEGER)
  userId?: number;

  @ApiPropertyOptional({ type: String, description: 'Only events from this address.', example: '203.0.113.7' })
  @OptionalField()
  @IsIP()
  ipAddress?: string;
}

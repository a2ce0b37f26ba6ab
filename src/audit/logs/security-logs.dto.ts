import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIP, Matches } from 'class-validator';
import { BooleanParam, Instant, IntegerParam, OptionalField } from '../../platform/http/validation/fields';
import { PageQueryDto } from '../../platform/http/pagination/page.dto';

/** One security event. */
export class SecurityLogDto {
  @ApiProperty({ type: 'integer', description: 'Id of the event.', example: 501 })
  id: number;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When the event happened (UTC).',
    example: '2026-01-31T09:30:00.000Z',
  })
  at: Date;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Id of the user concerned, if known.', example: 7 })
  userId: number | null;

  @ApiProperty({ type: String, description: 'Type of the event.', example: 'login.failed' })
  eventType: string;

  @ApiProperty({ type: Boolean, description: 'True when the action succeeded.', example: false })
  success: boolean;

  @ApiProperty({ type: String, nullable: true, description: 'IP address of the request.', example: '203.0.113.7' })
  ipAddress: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'User agent of the request.', example: 'Mozilla/5.0' })
  userAgent: string | null;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'Further data of the event, such as a reason; never a secret.',
    example: { reason: 'read the audit log' },
  })
  details: Record<string, unknown> | null;
}

/** Filters of the user's own security events; newest first. */
export class ListAccountSecurityLogsDto extends PageQueryDto {
  @ApiPropertyOptional({ type: String, description: 'Only events of this type.', example: 'auth.login' })
  @OptionalField()
  @Matches(/^[a-z0-9_.-]{1,100}$/, { message: 'eventType must be the name of an event, such as auth.login' })
  eventType?: string;

  @ApiPropertyOptional({
    type: Boolean,
    description: 'Only events that succeeded (true) or failed (false).',
    example: false,
  })
  @BooleanParam()
  success?: boolean;

  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    description: 'Only events at or after this time.',
    example: '2026-01-01T00:00:00Z',
  })
  @OptionalField()
  @Instant()
  from?: Date;

  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    description: 'Only events before this time.',
    example: '2027-01-01T00:00:00Z',
  })
  @OptionalField()
  @Instant()
  to?: Date;
}

/** Filters of the security log; newest first. */
export class ListSecurityLogsDto extends ListAccountSecurityLogsDto {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, description: 'Only events of this user.', example: 7 })
  @IntegerParam(1, Number.MAX_SAFE_INTEGER)
  userId?: number;

  @ApiPropertyOptional({ type: String, description: 'Only events from this IP address.', example: '203.0.113.7' })
  @OptionalField()
  @IsIP()
  ipAddress?: string;
}

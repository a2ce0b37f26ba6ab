import { ApiProperty } from '@nestjs/swagger';
import { IsIP, Matches } from 'class-validator';
import { PageQueryDto } from '../../platform/http/pagination/page.dto';
import { Field, InstantField } from '../../platform/http/validation/fields';
import { BooleanParam, IdParam } from '../../platform/http/validation/query-params';

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
  @Field(
    { type: String },
    { optional: true, description: 'Only events of this type.', example: 'auth.login' },
    Matches(/^[a-z0-9_.-]{1,100}$/, { message: 'eventType must be the name of an event, such as auth.login' }),
  )
  eventType?: string;

  @BooleanParam({ description: 'Only events that succeeded (true) or failed (false).', example: false })
  success?: boolean;

  @InstantField({ optional: true, description: 'Only events at or after this time.', example: '2026-01-01T00:00:00Z' })
  from?: Date;

  @InstantField({ optional: true, description: 'Only events before this time.', example: '2027-01-01T00:00:00Z' })
  to?: Date;
}

/** Filters of the security log; newest first. */
export class ListSecurityLogsDto extends ListAccountSecurityLogsDto {
  @IdParam({ description: 'Only events of this user.', example: 7 })
  userId?: number;

  @Field(
    { type: String },
    { optional: true, description: 'Only events from this IP address.', example: '203.0.113.7' },
    IsIP(),
  )
  ipAddress?: string;
}

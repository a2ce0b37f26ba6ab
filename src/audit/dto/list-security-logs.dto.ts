import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIP, Matches } from 'class-validator';
import { BooleanParam, Instant, IntegerParam, OptionalField } from '../../platform/http/fields';
import { PageQueryDto } from '../../platform/http/page-query.dto';

/** Filters of the security log; newest first. */
export class ListSecurityLogsDto extends PageQueryDto {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, description: 'Only events about this user.', example: 7 })
  @IntegerParam(1, Number.MAX_SAFE_INTEGER)
  userId?: number;

  @ApiPropertyOptional({ type: String, description: 'Only events of this type.', example: 'login.failed' })
  @OptionalField()
  @Matches(/^[a-z0-9_.-]{1,100}$/, { message: 'eventType must be the name of an event, such as login.failed' })
  eventType?: string;

  @ApiPropertyOptional({ type: Boolean, description: 'Only what succeeded, or only what failed.', example: false })
  @BooleanParam()
  success?: boolean;

  @ApiPropertyOptional({ type: String, description: 'Only events from this address.', example: '203.0.113.7' })
  @OptionalField()
  @IsIP()
  ipAddress?: string;

  @ApiPropertyOptional({ type: String, format: 'date-time', description: 'Only from this instant on.', example: '2026-01-01T00:00:00Z' })
  @OptionalField()
  @Instant()
  from?: Date;

  @ApiPropertyOptional({ type: String, format: 'date-time', description: 'Only before this instant.', example: '2027-01-01T00:00:00Z' })
  @OptionalField()
  @Instant()
  to?: Date;
}

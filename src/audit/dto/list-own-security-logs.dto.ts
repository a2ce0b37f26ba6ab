import { ApiPropertyOptional } from '@nestjs/swagger';
import { Matches } from 'class-validator';
import { BooleanParam, Instant, OptionalField } from '../../platform/http/fields';
import { PageQueryDto } from '../../platform/http/page-query.dto';

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

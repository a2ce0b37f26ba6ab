import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIP } from 'class-validator';
import { IntegerParam, OptionalField } from '../../platform/http/fields';
import { ListOwnSecurityLogsDto } from './list-own-security-logs.dto';

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

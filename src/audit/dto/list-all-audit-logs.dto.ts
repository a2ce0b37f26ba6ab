import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { IntegerParam, OptionalField } from '../../platform/http/fields';
import { ACTOR_KINDS } from './actor.dto';
import { ListAuditLogsDto } from './list-audit-logs.dto';

/** Filters of the audit log of all tenants; newest first. */
export class ListAllAuditLogsDto extends ListAuditLogsDto {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, description: "Only changes of this tenant's rows.", example: 7 })
  @IntegerParam(1, Number.MAX_SAFE_INTEGER)
  userId?: number;

  @ApiPropertyOptional({ enum: ACTOR_KINDS, description: 'Only changes by such an actor.', example: 'admin' })
  @OptionalField()
  @IsIn(ACTOR_KINDS)
  actorKind?: (typeof ACTOR_KINDS)[number];
}

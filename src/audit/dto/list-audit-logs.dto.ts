import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, Matches } from 'class-validator';
import { Instant, IntegerParam, ListParam, OptionalField } from '../../platform/http/fields';
import { PageQueryDto } from '../../platform/http/page-query.dto';
import { AUDIT_ACTIONS, type AuditAction } from './change.dto';

/** Filters of the audit log; newest first. */
export class ListAuditLogsDto extends PageQueryDto {
  @ApiPropertyOptional({ type: String, description: 'Only changes of this table.', example: 'proposals' })
  @OptionalField()
  @Matches(/^[a-z_]{1,63}$/, { message: 'table must be the name of a table, such as proposals' })
  table?: string;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    description: 'Only changes of the records with this id.',
    example: 7,
  })
  @IntegerParam(1, Number.MAX_SAFE_INTEGER)
  recordId?: number;

  @ApiPropertyOptional({
    enum: AUDIT_ACTIONS,
    isArray: true,
    description: 'Only these kinds of change; repeat it or use commas.',
    example: ['UPDATE'],
  })
  @ListParam()
  @IsIn(AUDIT_ACTIONS, { each: true })
  action?: AuditAction[];

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

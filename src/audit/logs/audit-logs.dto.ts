import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, Matches } from 'class-validator';
import { Instant, IntegerParam, ListParam, OptionalField } from '../../platform/http/validation/fields';
import { PageQueryDto } from '../../platform/http/pagination/page.dto';

/** Kinds of actors; the CHECK of audit_logs.actor_kind lists the same. */
export const ACTOR_KINDS = ['user', 'admin', 'task', 'database'] as const;

/** The actor of a change. */
export class ActorDto {
  @ApiProperty({
    enum: ACTOR_KINDS,
    description: 'Kind of actor: a signed-in user or admin, a task, or a direct database login.',
    example: 'user',
  })
  kind: (typeof ACTOR_KINDS)[number];

  @ApiProperty({ type: 'integer', nullable: true, description: 'Id of the user or admin, else null.', example: 7 })
  id: number | null;
}

/** Kinds of changes; the CHECK of audit_logs.action lists the same. */
export const AUDIT_ACTIONS = ['INSERT', 'UPDATE', 'DELETE'] as const;

/** Kind of a change. */
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** A field's old and new value, in the formats of the API. */
export interface FieldChange {
  readonly old: unknown;
  readonly new: unknown;
}

/** One change of one record. */
export class ChangeDto {
  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When the change was made (UTC).',
    example: '2026-01-31T09:30:00.000Z',
  })
  at: Date;

  @ApiProperty({ type: ActorDto, description: 'Who made the change.' })
  actor: ActorDto;

  @ApiProperty({ enum: AUDIT_ACTIONS, description: 'Kind of change.', example: 'UPDATE' })
  action: AuditAction;

  @ApiProperty({
    type: 'object',
    additionalProperties: {
      type: 'object',
      required: ['old', 'new'],
      properties: { old: { description: 'Old value, or null.' }, new: { description: 'New value, or null.' } },
    },
    description: 'Changed fields with old and new values. Secrets are shown as "[redacted]".',
    example: { bidAmount: { old: '40.00', new: '45.00' } },
  })
  changes: Record<string, FieldChange>;
}

/** One row of the audit log. */
export class AuditLogDto extends ChangeDto {
  @ApiProperty({ type: 'integer', description: 'Id of the entry.', example: 1001 })
  id: number;

  @ApiProperty({ type: String, description: 'Table of the record.', example: 'proposals' })
  table: string;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Id of the record.', example: 7 })
  recordId: number | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Route, task or database login that made the change.',
    example: 'PATCH /v1/proposals/:id',
  })
  operation: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'X-Request-Id of the request.',
    example: '5b0f2b0e-5c3a-4d2e-9d5e-2f8f0a6f4d11',
  })
  requestId: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Reason, if an admin or a task had to give one.',
    example: null,
  })
  reason: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'IP address of the request. Shown to tenants for their own changes only.',
    example: '203.0.113.7',
  })
  ipAddress: string | null;
}

/** One row of the audit log of all tenants. */
export class AdminAuditLogDto extends AuditLogDto {
  @ApiProperty({ type: 'integer', nullable: true, description: 'Id of the tenant whose row changed.', example: 7 })
  userId: number | null;
}

/** Filters of the audit log; newest first. */
export class ListAuditLogsDto extends PageQueryDto {
  @ApiPropertyOptional({ type: String, description: 'Only changes of this table.', example: 'proposals' })
  @OptionalField()
  @Matches(/^[a-z_]{1,63}$/, { message: 'table must be the name of a table, such as proposals' })
  table?: string;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    description: 'Only changes of records with this id.',
    example: 7,
  })
  @IntegerParam(1, Number.MAX_SAFE_INTEGER)
  recordId?: number;

  @ApiPropertyOptional({
    enum: AUDIT_ACTIONS,
    isArray: true,
    description: 'Only these kinds of changes. Repeat the parameter or separate values with commas.',
    example: ['UPDATE'],
  })
  @ListParam()
  @IsIn(AUDIT_ACTIONS, { each: true })
  action?: AuditAction[];

  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    description: 'Only changes at or after this time.',
    example: '2026-01-01T00:00:00Z',
  })
  @OptionalField()
  @Instant()
  from?: Date;

  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    description: 'Only changes before this time.',
    example: '2027-01-01T00:00:00Z',
  })
  @OptionalField()
  @Instant()
  to?: Date;
}

/** Filters of the audit log of all tenants; newest first. */
export class ListAllAuditLogsDto extends ListAuditLogsDto {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, description: "Only changes of this tenant's rows.", example: 7 })
  @IntegerParam(1, Number.MAX_SAFE_INTEGER)
  userId?: number;

  @ApiPropertyOptional({ enum: ACTOR_KINDS, description: 'Only changes by this kind of actor.', example: 'admin' })
  @OptionalField()
  @IsIn(ACTOR_KINDS)
  actorKind?: (typeof ACTOR_KINDS)[number];
}

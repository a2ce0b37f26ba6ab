import { ApiProperty } from '@nestjs/swagger';
import { ApiInstant } from '../../platform/http/openapi/dto-fields';
import { IsIP, Matches } from 'class-validator';
import { PageQueryDto } from '../../platform/http/pagination/page.dto';
import { EnumField, Field, InstantField } from '../../platform/http/validation/fields';
import { BooleanParam, EnumListParam, IdParam } from '../../platform/http/validation/query-params';

/** Kinds of actors; the CHECK of audit_logs.actor_kind lists the same. */
const ACTOR_KINDS = ['user', 'admin', 'task', 'database'] as const;

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
const AUDIT_ACTIONS = ['INSERT', 'UPDATE', 'DELETE'] as const;

/** Kind of a change. */
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** A field's old and new value, in the formats of the API. */
export interface FieldChange {
  readonly old: unknown;
  readonly new: unknown;
}

/** One change of one record. */
export class ChangeDto {
  @ApiInstant({ description: 'When the change was made (UTC).' })
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
  @Field(
    { type: String },
    { optional: true, description: 'Only changes of this table.', example: 'proposals' },
    Matches(/^[a-z_]{1,63}$/, { message: 'table must be the name of a table, such as proposals' }),
  )
  table?: string;

  @IdParam({ description: 'Only changes of records with this id.', example: 7 })
  recordId?: number;

  @EnumListParam(AUDIT_ACTIONS, {
    description: 'Only these kinds of changes. Repeat the parameter or separate values with commas.',
    example: ['UPDATE'],
  })
  action?: AuditAction[];

  @InstantField({ optional: true, description: 'Only changes at or after this time.', example: '2026-01-01T00:00:00Z' })
  from?: Date;

  @InstantField({ optional: true, description: 'Only changes before this time.', example: '2027-01-01T00:00:00Z' })
  to?: Date;
}

/** Filters of the audit log of all tenants; newest first. */
export class ListAllAuditLogsDto extends ListAuditLogsDto {
  @IdParam({ description: "Only changes of this tenant's rows.", example: 7 })
  userId?: number;

  @EnumField(ACTOR_KINDS, { optional: true, description: 'Only changes by this kind of actor.', example: 'admin' })
  actorKind?: (typeof ACTOR_KINDS)[number];
}

/** One security event. */
export class SecurityLogDto {
  @ApiProperty({ type: 'integer', description: 'Id of the event.', example: 501 })
  id: number;

  @ApiInstant({ description: 'When the event happened (UTC).' })
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

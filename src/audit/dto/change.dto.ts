import { ApiProperty } from '@nestjs/swagger';
import { ActorDto } from './actor.dto';

/** What a change of a row can be; the CHECK of audit_logs.action lists the same. */
export const AUDIT_ACTIONS = ['INSERT', 'UPDATE', 'DELETE'] as const;

/** What a change of a row can be. */
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** A field's values before and after, in the forms of the API. */
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

  @ApiProperty({ enum: AUDIT_ACTIONS, description: 'What was done to the row.', example: 'UPDATE' })
  action: AuditAction;

  @ApiProperty({
    type: 'object',
    additionalProperties: {
      type: 'object',
      required: ['old', 'new'],
      properties: { old: { description: 'The value before; null if none.' }, new: { description: 'The value after.' } },
    },
    description: 'The fields that changed, each with its old and new value; secrets read "[redacted]".',
    example: { bidAmount: { old: '40.00', new: '45.00' } },
  })
  changes: Record<string, FieldChange>;
}

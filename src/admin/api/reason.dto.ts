import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { TextField } from '../../platform/http/validation/text';
import { OptionalField } from '../../platform/http/validation/fields';

/** Joins an action and the admin's reason, if given, into the reason of the security event. */
export function describeAction(action: string, reason: string | undefined): string {
  return reason === undefined ? action : `${action}: ${reason}`;
}

/** The reason for an action of an admin, required. */
export class RunTaskDto {
  @ApiProperty({
    type: String,
    minLength: 1,
    maxLength: 500,
    description: 'Reason, kept in the security log.',
    example: 'fresh numbers for the monthly report',
  })
  @TextField(500)
  reason: string;
}

/** The reason for an action of an admin, optional. */
export class ReasonDto {
  @ApiPropertyOptional({
    type: String,
    minLength: 1,
    maxLength: 500,
    description: 'Reason, kept in the security log.',
    example: 'maintenance of the database',
  })
  @OptionalField()
  @TextField(500)
  reason?: string;
}

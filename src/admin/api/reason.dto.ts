import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { TextField } from '../../platform/http/validation/text';
import { OptionalField } from '../../platform/http/validation/fields';

/** What an admin does and, if he said so, why: the reason that goes on record. */
export function describeAction(action: string, reason: string | undefined): string {
  return reason === undefined ? action : `${action}: ${reason}`;
}

/** Why an admin lets a task run now. */
export class RunTaskDto {
  @ApiProperty({
    type: String,
    minLength: 1,
    maxLength: 500,
    description: 'Why; kept in the security log.',
    example: 'fresh numbers for the monthly report',
  })
  @TextField(500)
  reason: string;
}

/** Why an admin does something; may be left out. */
export class ReasonDto {
  @ApiPropertyOptional({
    type: String,
    minLength: 1,
    maxLength: 500,
    description: 'Why; kept in the security log.',
    example: 'maintenance of the database',
  })
  @OptionalField()
  @TextField(500)
  reason?: string;
}

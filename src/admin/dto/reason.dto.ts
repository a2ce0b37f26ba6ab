import { ApiPropertyOptional } from '@nestjs/swagger';
import { OptionalField } from '../../platform/http/fields';
import { TextField } from '../../platform/http/text-field';

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

import { ApiProperty } from '@nestjs/swagger';
import { TextField } from '../../platform/http/text-field';

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

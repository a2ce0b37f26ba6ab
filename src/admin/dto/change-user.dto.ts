import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsIn } from 'class-validator';
import { OptionalField } from '../../platform/http/fields';
import { RunTaskDto } from './run-task.dto';

/** What an admin changes of an account, and why. */
export class ChangeUserDto extends RunTaskDto {
  @ApiPropertyOptional({ description: 'Whether the user may sign in.', example: true })
  @OptionalField()
  @IsBoolean()
  isActive?: boolean;

  @ApiPropertyOptional({ description: 'What the user may do.', enum: ['user', 'admin'], example: 'user' })
  @OptionalField()
  @IsIn(['user', 'admin'])
  role?: 'user' | 'admin';
}

import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsIn } from 'class-validator';
import { BooleanParam, OptionalField } from '../../../platform/http/validation/fields';
import { RunTaskDto } from '../reason.dto';
import { PageQueryDto } from '../../../platform/http/pagination/page.dto';
import { TextField } from '../../../platform/http/validation/text';

/** An account as admins see it: never a secret. */
export class AdminUserDto {
  @ApiProperty({ type: 'integer', description: 'Number of the user.', example: 7 })
  id: number;

  @ApiProperty({ description: 'E-mail address.', format: 'email', example: 'ann@example.com' })
  email: string;

  @ApiProperty({ description: 'First name.', type: String, nullable: true, example: 'Ann' })
  firstName: string | null;

  @ApiProperty({ description: 'Last name.', type: String, nullable: true, example: 'Other' })
  lastName: string | null;

  @ApiProperty({ description: 'What he may do.', enum: ['user', 'admin'], example: 'user' })
  role: 'user' | 'admin';

  @ApiProperty({ description: 'Whether he may sign in.', example: true })
  isActive: boolean;

  @ApiProperty({ description: 'Whether the address is confirmed.', example: true })
  isVerified: boolean;

  @ApiProperty({ description: 'Whether a second factor is on.', example: false })
  mfaEnabled: boolean;

  @ApiProperty({ description: 'When he signed up.', format: 'date-time', example: '2026-01-31T09:30:00.000Z' })
  createdAt: Date;

  @ApiProperty({
    description: 'When the account last changed.',
    format: 'date-time',
    example: '2026-01-31T09:30:00.000Z',
  })
  updatedAt: Date;
}

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

/** Filters of the list of users; newest first. */
export class ListUsersDto extends PageQueryDto {
  @ApiPropertyOptional({
    type: String,
    maxLength: 254,
    description: 'Part of the address or of a name, in any letter case.',
    example: 'ann@',
  })
  @OptionalField()
  @TextField(254)
  q?: string;

  @ApiPropertyOptional({ enum: ['user', 'admin'], description: 'Only accounts of this role.', example: 'admin' })
  @OptionalField()
  @IsIn(['user', 'admin'])
  role?: 'user' | 'admin';

  @ApiPropertyOptional({ type: Boolean, description: 'Only active accounts, or only deactivated ones.', example: true })
  @BooleanParam()
  isActive?: boolean;
}

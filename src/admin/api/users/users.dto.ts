import { ApiProperty } from '@nestjs/swagger';
import { ApiInstant } from '../../../platform/http/openapi/dto-fields';
import { RunTaskDto } from '../reason.dto';
import { PageQueryDto } from '../../../platform/http/pagination/page.dto';
import { BooleanField, EnumField, TextField } from '../../../platform/http/validation/fields';
import { BooleanParam } from '../../../platform/http/validation/query-params';

/** An account, without secrets. */
export class AdminUserDto {
  @ApiProperty({ type: 'integer', description: 'Id of the user.', example: 7 })
  id: number;

  @ApiProperty({ description: 'Email address.', format: 'email', example: 'ann@example.com' })
  email: string;

  @ApiProperty({ description: 'First name.', type: String, nullable: true, example: 'Ann' })
  firstName: string | null;

  @ApiProperty({ description: 'Last name.', type: String, nullable: true, example: 'Other' })
  lastName: string | null;

  @ApiProperty({ description: 'Role of the user.', enum: ['user', 'admin'], example: 'user' })
  role: 'user' | 'admin';

  @ApiProperty({ description: 'True when the user may sign in.', example: true })
  isActive: boolean;

  @ApiProperty({ description: 'True when the email address is verified.', example: true })
  isVerified: boolean;

  @ApiProperty({ description: 'True when the user has a second factor.', example: false })
  mfaEnabled: boolean;

  @ApiInstant({
    description: 'When the account was created (UTC).',
  })
  createdAt: Date;

  @ApiInstant({
    description: 'When the account was last changed (UTC).',
  })
  updatedAt: Date;
}

/** A change of an account by an admin, with the reason. */
export class ChangeUserDto extends RunTaskDto {
  @BooleanField({ optional: true, description: 'True when the user may sign in.', example: true })
  isActive?: boolean;

  @EnumField(['user', 'admin'], { optional: true, description: 'New role of the user.', example: 'user' })
  role?: 'user' | 'admin';
}

/** Filters of the list of users. */
export class ListUsersDto extends PageQueryDto {
  @TextField({
    max: 254,
    optional: true,
    description: 'Part of the email address or name, in any letter case.',
    example: 'ann@',
  })
  q?: string;

  @EnumField(['user', 'admin'], { optional: true, description: 'Only accounts with this role.', example: 'admin' })
  role?: 'user' | 'admin';

  @BooleanParam({ description: '`true`: only active accounts. `false`: only deactivated ones.', example: true })
  isActive?: boolean;
}

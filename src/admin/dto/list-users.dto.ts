import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { BooleanParam, OptionalField } from '../../platform/http/fields';
import { PageQueryDto } from '../../platform/http/page-query.dto';
import { TextField } from '../../platform/http/text-field';

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

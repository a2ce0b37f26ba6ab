import { ApiPropertyOptional } from '@nestjs/swagger';
import { NullableTextField } from '../../platform/http/text-field';

/** Changes of one's own account; null clears a name. */
export class UpdateUserDto {
  @ApiPropertyOptional({ description: 'First name.', type: String, nullable: true, maxLength: 100, example: 'Ann' })
  @NullableTextField(100)
  readonly firstName?: string | null;

  @ApiPropertyOptional({ description: 'Last name.', type: String, nullable: true, maxLength: 100, example: 'Other' })
  @NullableTextField(100)
  readonly lastName?: string | null;
}

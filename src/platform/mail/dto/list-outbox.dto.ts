import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsString, MaxLength } from 'class-validator';
import { OptionalField } from '../../http/fields';

/** What to look for in the outbox. */
export class ListOutboxDto {
  @ApiPropertyOptional({ description: 'Only letters to this address, in any letter case.', example: 'ann@example.com' })
  @OptionalField()
  @IsString()
  @MaxLength(254)
  readonly to?: string;
}

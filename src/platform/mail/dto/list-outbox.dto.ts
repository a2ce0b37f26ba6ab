import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsString } from 'class-validator';
import { TextLength } from '../../http/text-length';
import { OptionalField } from '../../http/fields';

/** What to look for in the outbox. */
export class ListOutboxDto {
  @ApiPropertyOptional({ description: 'Only letters to this address, in any letter case.', example: 'ann@example.com' })
  @OptionalField()
  @IsString()
  @TextLength(0, 254)
  readonly to?: string;
}

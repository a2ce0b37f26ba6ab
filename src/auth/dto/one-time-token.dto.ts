import { ApiProperty } from '@nestjs/swagger';
import { IsString } from 'class-validator';
import { TextLength } from '../../platform/http/text-length';

/** The token of a mailed link. */
export class OneTimeTokenDto {
  @ApiProperty({
    description: 'What follows ?token= in the mailed link.',
    maxLength: 200,
    example: 'q1Yw3Jc0pRt5vXz8bNfKd2sGhLmA7uEoTiCyPjZrV94',
  })
  @IsString()
  @TextLength(1, 200)
  readonly token: string;
}

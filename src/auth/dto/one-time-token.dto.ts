import { ApiProperty } from '@nestjs/swagger';
import { IsString, Length } from 'class-validator';

/** The token of a mailed link. */
export class OneTimeTokenDto {
  @ApiProperty({
    description: 'What follows ?token= in the mailed link.',
    maxLength: 200,
    example: 'q1Yw3Jc0pRt5vXz8bNfKd2sGhLmA7uEoTiCyPjZrV94',
  })
  @IsString()
  @Length(1, 200)
  readonly token: string;
}

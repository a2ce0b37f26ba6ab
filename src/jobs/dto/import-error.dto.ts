import { ApiProperty } from '@nestjs/swagger';

/** Why a row of an import was not stored. */
export class ImportErrorDto {
  @ApiProperty({
    type: 'integer',
    description: "Place of the row in the file, from 1; a CSV's header is not counted.",
    example: 17,
  })
  row: number;

  @ApiProperty({
    type: String,
    description: 'JSON pointer of the value in the row; empty for the whole row.',
    example: '/budgetMin',
  })
  pointer: string;

  @ApiProperty({ type: String, description: 'Which rule it breaks.', example: 'matches' })
  code: string;

  @ApiProperty({ type: String, description: 'The rule in words.', example: 'budgetMin must be a decimal string' })
  message: string;
}

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

/** What became of the rows of an import. */
export class ImportReportDto {
  @ApiProperty({ type: 'integer', description: 'Rows read.', example: 3000 })
  total: number;

  @ApiProperty({ type: 'integer', description: 'Rows that made a new job.', example: 2525 })
  created: number;

  @ApiProperty({ type: 'integer', description: 'Rows that changed a job.', example: 0 })
  updated: number;

  @ApiProperty({ type: 'integer', description: 'Rows whose job is there already and says the same.', example: 475 })
  unchanged: number;

  @ApiProperty({ type: 'integer', description: 'Rows that were not stored, for the reasons in `errors`.', example: 0 })
  failed: number;

  @ApiProperty({ type: [ImportErrorDto], description: 'Why rows failed, at most 1,000 reasons.' })
  errors: ImportErrorDto[];

  @ApiProperty({ type: 'integer', description: 'Reasons beyond the 1,000.', example: 0 })
  errorsOmitted: number;
}

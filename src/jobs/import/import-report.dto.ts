import { ApiProperty } from '@nestjs/swagger';

/** A reason why a row of an import was not stored. */
export class ImportErrorDto {
  @ApiProperty({
    type: 'integer',
    description: "Number of the row in the file, from 1, without a CSV's header.",
    example: 17,
  })
  row: number;

  @ApiProperty({
    type: String,
    description: 'JSON pointer to the value in the row; empty for the whole row.',
    example: '/budgetMin',
  })
  pointer: string;

  @ApiProperty({ type: String, description: 'Code of the violated rule.', example: 'matches' })
  code: string;

  @ApiProperty({
    type: String,
    description: 'What is wrong and how to correct it.',
    example: 'budgetMin must be a decimal string',
  })
  message: string;
}

/** The result of an import. */
export class ImportReportDto {
  @ApiProperty({ type: 'integer', description: 'Number of rows read.', example: 3000 })
  total: number;

  @ApiProperty({ type: 'integer', description: 'Rows that created a job.', example: 2525 })
  created: number;

  @ApiProperty({ type: 'integer', description: 'Rows that changed a job.', example: 0 })
  updated: number;

  @ApiProperty({ type: 'integer', description: 'Rows equal to a stored job.', example: 475 })
  unchanged: number;

  @ApiProperty({ type: 'integer', description: 'Rows that were not stored; `errors` has the reasons.', example: 0 })
  failed: number;

  @ApiProperty({ type: [ImportErrorDto], description: 'Reasons why rows failed, at most 1,000.' })
  errors: ImportErrorDto[];

  @ApiProperty({ type: 'integer', description: 'Number of further reasons.', example: 0 })
  errorsOmitted: number;
}

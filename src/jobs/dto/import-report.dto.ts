import { ApiProperty } from '@nestjs/swagger';
import { ImportErrorDto } from './import-error.dto';

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

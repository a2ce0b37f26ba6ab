import { ApiProperty } from '@nestjs/swagger';

/** How an index is used since the statistics began; one of a partitioned table is the sum of its parts. */
export class IndexUseDto {
  @ApiProperty({ type: String, description: "Its table's schema.", example: 'public' })
  schema: string;

  @ApiProperty({ type: String, description: 'Its table.', example: 'jobs' })
  table: string;

  @ApiProperty({ type: String, description: 'Its name.', example: 'idx_jobs_status' })
  index: string;

  @ApiProperty({ type: Boolean, description: 'It keeps rows unique, so it is of use without a scan.', example: false })
  isConstraint: boolean;

  @ApiProperty({ type: 'integer', description: 'Scans.', example: 1200 })
  scans: number;

  @ApiProperty({ type: 'integer', description: 'Entries read by them.', example: 24000 })
  rowsRead: number;

  @ApiProperty({ type: 'integer', description: 'Its size.', example: 81920 })
  sizeBytes: number;

  @ApiProperty({ type: String, description: 'The same, for people.', example: '80 kB' })
  size: string;
}

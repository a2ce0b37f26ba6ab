import { ApiProperty } from '@nestjs/swagger';

/** How large a table is, its partitions included. */
export class TableSizeDto {
  @ApiProperty({ type: String, description: 'Its schema.', example: 'public' })
  schema: string;

  @ApiProperty({ type: String, description: 'Its name, whatever its letters.', example: 'audit_logs' })
  table: string;

  @ApiProperty({ type: Boolean, description: 'It is a materialized view.', example: false })
  isView: boolean;

  @ApiProperty({ type: 'integer', description: 'Partitions counted in.', example: 4 })
  partitions: number;

  @ApiProperty({ type: 'integer', description: 'With indexes and what is kept aside (TOAST).', example: 1638400 })
  sizeBytes: number;

  @ApiProperty({ type: String, description: 'The same, for people.', example: '1600 kB' })
  size: string;

  @ApiProperty({ type: 'integer', description: 'The part of the indexes.', example: 737280 })
  indexBytes: number;

  @ApiProperty({ type: 'integer', description: 'Rows, as PostgreSQL estimates.', example: 5200 })
  liveRows: number;

  @ApiProperty({ type: 'integer', description: 'Rows left for vacuum, as PostgreSQL estimates.', example: 12 })
  deadRows: number;
}

import { ApiProperty } from '@nestjs/swagger';

/** How far a table with partitions by time reaches. */
export class PartitionCoverageDto {
  @ApiProperty({ type: String, description: 'Its name.', example: 'audit_logs' })
  table: string;

  @ApiProperty({
    type: Boolean,
    description: 'A partition takes the rows of now; without one the default partition does.',
    example: true,
  })
  isCovered: boolean;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'The first instant without a partition; null when there is none.',
    example: '2029-01-01T00:00:00.000Z',
  })
  coveredUntil: Date | null;

  @ApiProperty({ type: 'integer', description: 'Whole days until then, 0 when not covered now.', example: 770 })
  daysCovered: number;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description:
      'Rows in the default partition, counted to 100,000 at most; the task create-partitions moves them. Null when there is no such partition.',
    example: 0,
  })
  rowsInDefault: number | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'The oldest of them.',
    example: '2030-01-01T00:00:00.000Z',
  })
  oldestInDefault: Date | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'The newest of them.',
    example: '2030-02-01T00:00:00.000Z',
  })
  newestInDefault: Date | null;
}

import { ApiProperty } from '@nestjs/swagger';

/** A partition. */
export class PartitionDto {
  @ApiProperty({ type: String, description: 'Its table.', example: 'audit_logs' })
  table: string;

  @ApiProperty({ type: String, description: 'Its name.', example: 'audit_logs_2026' })
  name: string;

  @ApiProperty({ type: Boolean, description: 'It takes what no other takes.', example: false })
  isDefault: boolean;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'Its first instant; null for the default one.',
    example: '2026-01-01T00:00:00.000Z',
  })
  from: Date | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'The first instant after it; null for the default one.',
    example: '2027-01-01T00:00:00.000Z',
  })
  to: Date | null;

  @ApiProperty({ type: 'integer', description: 'Its size, with indexes.', example: 819200 })
  sizeBytes: number;

  @ApiProperty({ type: String, description: 'The same, for people.', example: '800 kB' })
  size: string;

  @ApiProperty({ type: 'integer', description: 'Its rows, as PostgreSQL estimates.', example: 5200 })
  liveRows: number;
}

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

/** A table with partitions by time. */
export class PartitionedTableDto extends PartitionCoverageDto {
  @ApiProperty({ type: [PartitionDto], description: 'In order of time, the default one last.' })
  partitions: PartitionDto[];
}

/** The tables with partitions. */
export class PartitionedTableListDto {
  @ApiProperty({ type: [PartitionedTableDto], description: 'By name.' })
  items: PartitionedTableDto[];
}

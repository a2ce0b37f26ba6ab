import { ApiProperty } from '@nestjs/swagger';
import { ApiInstant } from '../../../platform/http/openapi/dto-fields';

/** A partition of a table. */
export class PartitionDto {
  @ApiProperty({ type: String, description: 'Table of the partition.', example: 'audit_logs' })
  table: string;

  @ApiProperty({ type: String, description: 'Name of the partition.', example: 'audit_logs_2026' })
  name: string;

  @ApiProperty({
    type: Boolean,
    description: 'True when it is the default partition, which takes rows outside the others.',
    example: false,
  })
  isDefault: boolean;

  @ApiInstant({
    nullable: true,
    description: 'Lower bound, inclusive (UTC). Null for the default partition.',
    example: '2026-01-01T00:00:00.000Z',
  })
  from: Date | null;

  @ApiInstant({
    nullable: true,
    description: 'Upper bound, exclusive (UTC). Null for the default partition.',
    example: '2027-01-01T00:00:00.000Z',
  })
  to: Date | null;

  @ApiProperty({ type: 'integer', description: 'Size with indexes, in bytes.', example: 819200 })
  sizeBytes: number;

  @ApiProperty({ type: String, description: 'Size in a readable unit.', example: '800 kB' })
  size: string;

  @ApiProperty({ type: 'integer', description: 'Number of rows, as estimated by PostgreSQL.', example: 5200 })
  liveRows: number;
}

/** The time covered by the partitions of a table. */
export class PartitionCoverageDto {
  @ApiProperty({ type: String, description: 'Name of the table.', example: 'audit_logs' })
  table: string;

  @ApiProperty({
    type: Boolean,
    description: 'True when a partition covers the current time; otherwise rows go to the default partition.',
    example: true,
  })
  isCovered: boolean;

  @ApiInstant({
    nullable: true,
    description: 'First instant without a partition (UTC). Null when the partitions have no end.',
    example: '2029-01-01T00:00:00.000Z',
  })
  coveredUntil: Date | null;

  @ApiProperty({
    type: 'integer',
    description: 'Whole days until `coveredUntil`; 0 when not covered now.',
    example: 770,
  })
  daysCovered: number;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description:
      'Rows in the default partition, counted up to 100,000. The task create-partitions moves them. Null ' +
      'without a default partition.',
    example: 0,
  })
  rowsInDefault: number | null;

  @ApiInstant({
    nullable: true,
    description: 'Time of the oldest row in the default partition (UTC).',
    example: '2030-01-01T00:00:00.000Z',
  })
  oldestInDefault: Date | null;

  @ApiInstant({
    nullable: true,
    description: 'Time of the newest row in the default partition (UTC).',
    example: '2030-02-01T00:00:00.000Z',
  })
  newestInDefault: Date | null;
}

/** A table with partitions by time. */
export class PartitionedTableDto extends PartitionCoverageDto {
  @ApiProperty({ type: [PartitionDto], description: 'Partitions in order of time, the default one last.' })
  partitions: PartitionDto[];
}

/** The partitioned tables. */
export class PartitionedTableListDto {
  @ApiProperty({ type: [PartitionedTableDto], description: 'Partitioned tables, by name.' })
  items: PartitionedTableDto[];
}

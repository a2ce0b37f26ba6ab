import { ApiProperty } from '@nestjs/swagger';
import { PartitionCoverageDto } from './partition-coverage.dto';
import { PartitionDto } from './partition.dto';

/** A table with partitions by time. */
export class PartitionedTableDto extends PartitionCoverageDto {
  @ApiProperty({ type: [PartitionDto], description: 'In order of time, the default one last.' })
  partitions: PartitionDto[];
}

import { ApiProperty } from '@nestjs/swagger';
import { PartitionedTableDto } from './partitioned-table.dto';

/** The tables with partitions. */
export class PartitionedTableListDto {
  @ApiProperty({ type: [PartitionedTableDto], description: 'By name.' })
  items: PartitionedTableDto[];
}

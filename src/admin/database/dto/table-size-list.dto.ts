import { ApiProperty } from '@nestjs/swagger';
import { TableSizeDto } from './table-size.dto';

/** The tables and materialized views. */
export class TableSizeListDto {
  @ApiProperty({ type: [TableSizeDto], description: 'Largest first.' })
  items: TableSizeDto[];
}

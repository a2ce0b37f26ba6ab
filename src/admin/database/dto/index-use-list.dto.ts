import { ApiProperty } from '@nestjs/swagger';
import { IndexUseDto } from './index-use.dto';

/** The indexes. */
export class IndexUseListDto {
  @ApiProperty({ type: [IndexUseDto], description: 'Those nobody uses first.' })
  items: IndexUseDto[];
}

import { ApiProperty } from '@nestjs/swagger';
import { SlowQueryDto } from './slow-query.dto';

/** The statements that take longest. */
export class SlowQueriesDto {
  @ApiProperty({ type: [SlowQueryDto], description: 'Ten at most, by mean time; without what migrations ran.' })
  items: SlowQueryDto[];

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Why nothing is known of them, and what to do; null when it is.',
    example: null,
  })
  unavailable: string | null;
}

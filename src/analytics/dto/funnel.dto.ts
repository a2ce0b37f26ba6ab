import { ApiProperty } from '@nestjs/swagger';

/** The way from vacancies to wins. */
export class FunnelDto {
  @ApiProperty({ type: 'integer', description: 'Jobs stored in the range.', example: 120 })
  jobsSeen: number;

  @ApiProperty({ type: 'integer', description: 'Proposals made in the range, sent or not.', example: 14 })
  proposalsDrafted: number;

  @ApiProperty({ type: 'integer', description: 'Proposals sent in the range.', example: 10 })
  proposalsSent: number;

  @ApiProperty({ type: 'integer', description: 'Those of them that got an answer until now.', example: 4 })
  answered: number;

  @ApiProperty({ type: 'integer', description: 'Those of them that were accepted until now.', example: 2 })
  won: number;
}

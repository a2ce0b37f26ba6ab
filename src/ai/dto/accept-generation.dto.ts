import { ApiProperty } from '@nestjs/swagger';
import { IsInt, Max, Min } from 'class-validator';

/** Where an accepted draft goes. */
export class AcceptGenerationDto {
  @ApiProperty({ type: 'integer', minimum: 1, description: 'A proposal of yours that is a draft.', example: 7 })
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  proposalId: number;
}

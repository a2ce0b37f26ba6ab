import { ApiProperty } from '@nestjs/swagger';

/** A letter of the user's own that is much like another. */
export class SimilarLetterDto {
  @ApiProperty({ type: 'integer', description: 'The proposal it belongs to.', example: 5 })
  proposalId: number;

  @ApiProperty({ type: 'number', description: 'How much of the two is the same, 0.6 to 1.', example: 0.83 })
  similarity: number;
}

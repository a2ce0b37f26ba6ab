import { ApiProperty } from '@nestjs/swagger';
import type { LetterVersion } from '../letter-version.entity';

/** A letter a proposal has or had. */
export class LetterVersionDto {
  @ApiProperty({ type: 'integer', description: 'The id.', example: 11 })
  id: number;

  @ApiProperty({ type: 'integer', description: 'The proposal.', example: 7 })
  proposalId: number;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'The generation it came from; null when the user wrote it.',
    example: 3,
  })
  generationId: number | null;

  @ApiProperty({ type: String, description: 'The letter.', example: 'Dear client, …' })
  letter: string;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When it was kept.',
    example: '2026-01-31T09:30:00.000Z',
  })
  createdAt: Date;

  /** Shows a row of the table. */
  static from(
    this: void,
    { id, proposalId, generationId, letter, createdAt }: Omit<LetterVersion, 'userId'>,
  ): LetterVersionDto {
    return { id, proposalId, generationId, letter, createdAt };
  }
}

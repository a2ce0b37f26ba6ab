import { ApiProperty } from '@nestjs/swagger';
import type { CoverLetterVersion } from './cover-letter-version.entity';
import { FindingDto } from '../ai/generations/generations.dto';
import { IsDefined, IsInt, Max, Min } from 'class-validator';
import { IntegerParam } from '../platform/http/validation/fields';
import { PageQueryDto } from '../platform/http/pagination/page.dto';

/** A letter of the user's own that is much like another. */
export class SimilarLetterDto {
  @ApiProperty({ type: 'integer', description: 'The proposal it belongs to.', example: 5 })
  proposalId: number;

  @ApiProperty({ type: 'number', description: 'How much of the two is the same, 0.6 to 1.', example: 0.83 })
  similarity: number;
}

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
    { id, proposalId, generationId, letter, createdAt }: Omit<CoverLetterVersion, 'userId'>,
  ): LetterVersionDto {
    return { id, proposalId, generationId, letter, createdAt };
  }
}

/** What became of an accepted draft. */
export class AcceptedLetterDto {
  @ApiProperty({ type: 'integer', description: 'The proposal that has it.', example: 7 })
  proposalId: number;

  @ApiProperty({ type: 'integer', description: "The proposal's version now.", example: 2 })
  proposalVersion: number;

  @ApiProperty({ type: 'integer', description: 'The version of the letter.', example: 11 })
  letterVersionId: number;

  @ApiProperty({ type: String, description: 'The letter.', example: 'Dear client, …' })
  letter: string;

  @ApiProperty({ type: [FindingDto], description: 'What to look at before sending it.' })
  findings: FindingDto[];

  @ApiProperty({
    type: [SimilarLetterDto],
    description: 'Letters of yours that are alarmingly like it, most alike first.',
  })
  similarLetters: SimilarLetterDto[];
}

/** Where an accepted draft goes. */
export class AcceptGenerationDto {
  @ApiProperty({ type: 'integer', minimum: 1, description: 'A proposal of yours that is a draft.', example: 7 })
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  proposalId: number;
}

/** Whose versions. */
export class ListLetterVersionsDto extends PageQueryDto {
  @ApiProperty({ type: 'integer', minimum: 1, description: 'The proposal.', example: 7 })
  @IsDefined({ message: 'proposalId is needed' })
  @IntegerParam(1, Number.MAX_SAFE_INTEGER)
  proposalId: number;
}

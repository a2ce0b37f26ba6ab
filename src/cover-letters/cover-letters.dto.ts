import { ApiProperty } from '@nestjs/swagger';
import { ApiInstant, pickFields } from '../platform/http/openapi/dto-fields';
import type { CoverLetterVersion } from './cover-letter-version.entity';
import { FindingDto } from '../ai/generations/generations.dto';
import { IsDefined } from 'class-validator';
import { PageQueryDto } from '../platform/http/pagination/page.dto';
import { IdField } from '../platform/http/validation/fields';
import { IdParam } from '../platform/http/validation/query-params';
import { Sensitive } from '../platform/logging/sensitive-fields';

/** Cover letter of the user that resembles the new one. */
export class SimilarLetterDto {
  @ApiProperty({ type: 'integer', description: 'Id of its proposal.', example: 5 })
  proposalId: number;

  @ApiProperty({ type: 'number', description: 'Similarity of the two texts, 0.6 to 1.', example: 0.83 })
  similarity: number;
}

/** Version of a cover letter in API responses. */
export class LetterVersionDto {
  @ApiProperty({ type: 'integer', description: 'Id of the version.', example: 11 })
  id: number;

  @ApiProperty({ type: 'integer', description: 'Id of the proposal.', example: 7 })
  proposalId: number;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Id of its generation; null when the user wrote the text.',
    example: 3,
  })
  generationId: number | null;

  @ApiProperty({ type: String, description: 'Text of the cover letter.', example: 'Dear client, …' })
  @Sensitive()
  letter: string;

  @ApiInstant({ description: 'When the version was stored (UTC).' })
  createdAt: Date;

  /** Maps a row. */
  static from(this: void, row: Omit<CoverLetterVersion, 'userId'>): LetterVersionDto {
    return pickFields(LetterVersionDto, row);
  }
}

/** Result of accepting a draft. */
export class AcceptedLetterDto {
  @ApiProperty({ type: 'integer', description: 'Id of the proposal.', example: 7 })
  proposalId: number;

  @ApiProperty({ type: 'integer', description: 'New version number of the proposal.', example: 2 })
  proposalVersion: number;

  @ApiProperty({ type: 'integer', description: 'Id of the new cover letter version.', example: 11 })
  letterVersionId: number;

  @ApiProperty({ type: String, description: 'Text of the cover letter.', example: 'Dear client, …' })
  @Sensitive()
  letter: string;

  @ApiProperty({ type: [FindingDto], description: 'Warnings to review before sending it.' })
  findings: FindingDto[];

  @ApiProperty({
    type: [SimilarLetterDto],
    description: 'Your cover letters with a similarity of 0.6 or more, most similar first.',
  })
  similarLetters: SimilarLetterDto[];
}

/** Body of POST /v1/ai/generations/{id}/accept. */
export class AcceptGenerationDto {
  @IdField({ description: 'Id of one of your draft proposals.', example: 7 })
  proposalId: number;
}

/** Query of GET /v1/ai/letter-versions. */
export class ListLetterVersionsDto extends PageQueryDto {
  @ApiProperty({ required: true })
  @IsDefined({ message: 'proposalId is required.' })
  @IdParam({ description: 'Id of the proposal.', example: 7 })
  proposalId: number;
}

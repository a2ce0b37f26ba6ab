import { ApiProperty } from '@nestjs/swagger';
import { FindingDto } from './finding.dto';
import { SimilarLetterDto } from './similar-letter.dto';

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

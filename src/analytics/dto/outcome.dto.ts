import { ApiProperty } from '@nestjs/swagger';

/** What became of the proposals of one kind. */
export class OutcomeDto {
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The kind; null where it is not known.',
    example: 'Web Development',
  })
  key: string | null;

  @ApiProperty({ type: 'integer', description: 'Proposals sent.', example: 10 })
  sent: number;

  @ApiProperty({
    type: 'integer',
    description: 'Those that got an answer: a message of the client, or a decision.',
    example: 4,
  })
  answered: number;

  @ApiProperty({ type: 'integer', description: 'Those that were accepted.', example: 2 })
  won: number;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'won of sent, 0 to 1; null when none was sent.',
    example: 0.2,
  })
  winRate: number | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Half of the answers came sooner; null without an answer.',
    example: 7200,
  })
  medianAnswerSeconds: number | null;
}

import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsInt, IsString, Matches, Max, Min } from 'class-validator';
import { NullableField, OptionalField } from '../../platform/http/fields';
import { MoneyField } from '../../platform/http/money-field';
import { NullableTextField } from '../../platform/http/text-field';

/** Longest cover letter; the CHECK of proposals.cover_letter says the same. */
const MAX_COVER_LETTER = 20_000;

/** What a new draft is made of. */
export class CreateProposalDto {
  @ApiProperty({
    type: 'integer',
    minimum: 1,
    description: 'The job it is for: one of your own, not deleted.',
    example: 42,
  })
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  jobId: number;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    maxLength: MAX_COVER_LETTER,
    description: 'The text the client reads; needed to submit.',
    example: 'I have built three such pipelines, the last one in two weeks.',
  })
  @NullableTextField(MAX_COVER_LETTER)
  coverLetter?: string | null;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    description: 'What you ask for, in `currency`: the whole price, or the price of an hour; needed to submit.',
    example: '45.00',
  })
  @NullableField()
  @MoneyField()
  bidAmount?: string | null;

  @ApiPropertyOptional({
    type: String,
    enum: ['fixed', 'hourly'],
    nullable: true,
    description: 'Whether the bid is for the whole job or for an hour; needed to submit.',
    example: 'hourly',
  })
  @NullableField()
  @IsIn(['fixed', 'hourly'])
  bidType?: 'fixed' | 'hourly' | null;

  @ApiPropertyOptional({
    type: String,
    description: 'ISO 4217 code of the bid. A new proposal without one gets USD.',
    example: 'USD',
  })
  @OptionalField()
  @IsString()
  @Matches(/^[A-Z]{3}$/, { message: 'currency must be three capital letters such as USD' })
  currency?: string;
}

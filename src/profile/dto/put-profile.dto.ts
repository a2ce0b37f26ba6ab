import { ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsInt, IsString, Max, Min } from 'class-validator';
import { TextLength } from '../../platform/http/text-length';
import { NullableField, OptionalField } from '../../platform/http/fields';
import { CurrencyField, MoneyField } from '../../platform/http/money-field';
import { NullableTextField } from '../../platform/http/text-field';

/** The whole profile; what is absent is empty afterwards. */
export class PutProfileDto {
  @ApiPropertyOptional({
    type: String,
    nullable: true,
    maxLength: 200,
    description: 'One line.',
    example: 'PostgreSQL performance engineer',
  })
  @NullableTextField(200)
  headline?: string | null;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    maxLength: 5000,
    description: 'In your own words.',
    example: 'I make slow databases fast.',
  })
  @NullableTextField(5_000)
  overview?: string | null;

  @ApiPropertyOptional({
    type: [String],
    maxItems: 100,
    description: 'What you can do; drafts that claim more are reported.',
    example: ['PostgreSQL', 'SQL'],
  })
  @OptionalField()
  @IsArray()
  @ArrayMaxSize(100)
  @IsString({ each: true })
  @TextLength(1, 100, { each: true })
  skills?: string[];

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    description: 'The price of an hour.',
    example: '60.00',
  })
  @NullableField()
  @MoneyField()
  hourlyRate?: string | null;

  @ApiPropertyOptional({ type: String, description: 'ISO 4217 code of the rate; USD without one.', example: 'USD' })
  @OptionalField()
  @CurrencyField()
  currency?: string;

  @ApiPropertyOptional({
    type: 'integer',
    nullable: true,
    minimum: 0,
    maximum: 80,
    description: 'Years of experience.',
    example: 12,
  })
  @NullableField()
  @IsInt()
  @Min(0)
  @Max(80)
  experienceYears?: number | null;

  @ApiPropertyOptional({
    type: [String],
    maxItems: 20,
    description: 'Work you may point at, a sentence or two each.',
    example: ['Cut a 40 s report to 2 s.'],
  })
  @OptionalField()
  @IsArray()
  @ArrayMaxSize(20)
  @IsString({ each: true })
  @TextLength(1, 1_000, { each: true })
  pastWins?: string[];
}

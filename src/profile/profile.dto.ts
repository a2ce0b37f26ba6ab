import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ApiAmount, CurrencyField, MoneyField } from '../platform/http/validation/money-field';
import type { Profile } from './profile.entity';
import { ArrayMaxSize, IsArray, IsInt, IsString, Max, Min } from 'class-validator';
import { NullableTextField, TextLength } from '../platform/http/validation/text';
import { NullableField, OptionalField } from '../platform/http/validation/fields';

/** A profile as the API shows it; an empty one has version 0. */
export class ProfileDto {
  @ApiProperty({ type: String, nullable: true, description: 'One line.', example: 'PostgreSQL performance engineer' })
  headline: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'In the user’s own words.',
    example: 'I make slow databases fast.',
  })
  overview: string | null;

  @ApiProperty({ type: [String], description: 'What the user can do.', example: ['PostgreSQL', 'SQL'] })
  skills: string[];

  @ApiAmount({ nullable: true, description: 'What an hour costs.', example: '60.00' })
  hourlyRate: string | null;

  @ApiProperty({ type: String, description: 'ISO 4217 code of the rate.', example: 'USD' })
  currency: string;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Years of experience.', example: 12 })
  experienceYears: number | null;

  @ApiProperty({ type: [String], description: 'Work the user may point at.', example: ['Cut a 40 s report to 2 s.'] })
  pastWins: string[];

  @ApiProperty({ type: 'integer', description: 'Grows with each change; its ETag. 0 before the first.', example: 1 })
  version: number;

  /** Shows a row of the table, or an empty profile. */
  static from(this: void, profile: Profile | null): ProfileDto {
    return {
      headline: profile?.headline ?? null,
      overview: profile?.overview ?? null,
      skills: profile?.skills ?? [],
      hourlyRate: profile?.hourlyRate ?? null,
      currency: profile?.currency ?? 'USD',
      experienceYears: profile?.experienceYears ?? null,
      pastWins: profile?.pastWins ?? [],
      version: profile?.version ?? 0,
    };
  }
}

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

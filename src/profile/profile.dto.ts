import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ApiAmount, CurrencyField, MoneyField } from '../platform/http/validation/money-field';
import type { Profile } from './profile.entity';
import { ArrayMaxSize, IsArray, IsInt, IsString, Max, Min } from 'class-validator';
import { NullableTextField, TextLength } from '../platform/http/validation/text';
import { NullableField, OptionalField } from '../platform/http/validation/fields';

/** A profile as the API returns it. An empty one has version 0. */
export class ProfileDto {
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Headline of the profile.',
    example: 'PostgreSQL performance engineer',
  })
  headline: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Description in the user’s own words.',
    example: 'I make slow databases fast.',
  })
  overview: string | null;

  @ApiProperty({ type: [String], description: 'Skills of the user.', example: ['PostgreSQL', 'SQL'] })
  skills: string[];

  @ApiAmount({ nullable: true, description: 'Price of an hour in `currency`.', example: '60.00' })
  hourlyRate: string | null;

  @ApiProperty({ type: String, description: 'Currency of the rate, ISO 4217.', example: 'USD' })
  currency: string;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Years of experience.', example: 12 })
  experienceYears: number | null;

  @ApiProperty({ type: [String], description: 'Examples of past work.', example: ['Cut a 40 s report to 2 s.'] })
  pastWins: string[];

  @ApiProperty({
    type: 'integer',
    description: 'Version number, one higher after each change; also the ETag. 0 for an empty profile.',
    example: 1,
  })
  version: number;

  /** Builds the DTO from a row, or an empty profile from null. */
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

/** Body of PUT /v1/profile. Absent fields become empty. */
export class PutProfileDto {
  @ApiPropertyOptional({
    type: String,
    nullable: true,
    maxLength: 200,
    description: 'Headline of the profile.',
    example: 'PostgreSQL performance engineer',
  })
  @NullableTextField(200)
  headline?: string | null;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    maxLength: 5000,
    description: 'Description in your own words.',
    example: 'I make slow databases fast.',
  })
  @NullableTextField(5_000)
  overview?: string | null;

  @ApiPropertyOptional({
    type: [String],
    maxItems: 100,
    description: 'Your skills. AI drafts that claim others are reported.',
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
    description: 'Price of an hour in `currency`.',
    example: '60.00',
  })
  @NullableField()
  @MoneyField()
  hourlyRate?: string | null;

  @ApiPropertyOptional({
    type: String,
    description: 'Currency of the rate, ISO 4217. The default is USD.',
    example: 'USD',
  })
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
    description: 'Examples of past work, one or two sentences each.',
    example: ['Cut a 40 s report to 2 s.'],
  })
  @OptionalField()
  @IsArray()
  @ArrayMaxSize(20)
  @IsString({ each: true })
  @TextLength(1, 1_000, { each: true })
  pastWins?: string[];
}

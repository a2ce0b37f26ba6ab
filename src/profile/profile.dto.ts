import { ApiProperty } from '@nestjs/swagger';
import { pickFields, ResponseType } from '../platform/http/openapi/dto-fields';
import { IntegerField, TextField, TextListField } from '../platform/http/validation/fields';
import { CurrencyField, MoneyField } from '../platform/http/validation/money-field';

/** Body of PUT /v1/profile. Absent fields become empty. */
export class PutProfileDto {
  @TextField({
    max: 200,
    nullable: true,
    description: 'Headline of the profile.',
    example: 'PostgreSQL performance engineer',
  })
  headline?: string | null;

  @TextField({
    max: 5_000,
    nullable: true,
    description: 'Description in your own words.',
    example: 'I make slow databases fast.',
  })
  overview?: string | null;

  @TextListField({
    maxItems: 100,
    max: 100,
    optional: true,
    description: 'Your skills. AI drafts that claim others are reported.',
    example: ['PostgreSQL', 'SQL'],
  })
  skills?: string[];

  @MoneyField({ nullable: true, description: 'Price of an hour in `currency`.', example: '60.00' })
  hourlyRate?: string | null;

  @CurrencyField({ optional: true, description: 'Currency of the rate, ISO 4217. The default is USD.', example: 'USD' })
  currency?: string;

  @IntegerField({ min: 0, max: 80, nullable: true, description: 'Years of experience.', example: 12 })
  experienceYears?: number | null;

  @TextListField({
    maxItems: 20,
    max: 1_000,
    optional: true,
    description: 'Examples of past work, one or two sentences each.',
    example: ['Cut a 40 s report to 2 s.'],
  })
  pastWins?: string[];
}

/** A profile as the API returns it. An empty one has version 0. */
export class ProfileDto extends ResponseType(PutProfileDto) {
  @ApiProperty({
    type: 'integer',
    description: 'Version number, one higher after each change; also the ETag. 0 for an empty profile.',
    example: 1,
  })
  version: number;

  /** Builds the DTO from a row, or an empty profile from null. */
  static from(this: void, profile: ProfileDto | null): ProfileDto {
    return pickFields(ProfileDto, profile ?? EMPTY_PROFILE);
  }
}

/** The profile of a user who has not stored one. */
export const EMPTY_PROFILE: Readonly<ProfileDto> = {
  headline: null,
  overview: null,
  skills: [],
  hourlyRate: null,
  currency: 'USD',
  experienceYears: null,
  pastWins: [],
  version: 0,
};

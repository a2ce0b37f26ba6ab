import { ApiProperty } from '@nestjs/swagger';
import { ApiAmount } from '../../platform/http/money-field';
import type { Profile } from '../profile.entity';

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

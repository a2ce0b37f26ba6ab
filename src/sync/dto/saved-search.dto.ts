import { ApiProperty } from '@nestjs/swagger';
import type { SavedSearch } from '../saved-search.entity';

/** A saved search as the API shows it. */
export class SavedSearchDto {
  @ApiProperty({ type: 'integer', description: 'The id.', example: 4 })
  id: number;

  @ApiProperty({ type: String, description: 'Its name.', example: 'Slow databases' })
  name: string;

  @ApiProperty({ type: String, description: 'What it looks for.', example: 'postgresql AND performance' })
  query: string;

  @ApiProperty({
    enum: ['fixed', 'hourly'],
    nullable: true,
    description: 'Only vacancies that pay so.',
    example: 'hourly',
  })
  jobType: 'fixed' | 'hourly' | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'You are told at most once in so many hours; null: never.',
    example: 24,
  })
  alertHours: number | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'The webhook that is told; null: a mail tells you.',
    example: null,
  })
  webhookId: number | null;

  @ApiProperty({ type: 'integer', description: 'Jobs found since the last alert.', example: 3 })
  newMatches: number;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'When it last ran.', example: null })
  lastSearchedAt: Date | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Why its latest run failed; null when it succeeded.',
    example: null,
  })
  lastError: string | null;

  @ApiProperty({ type: 'integer', description: 'Counts its changes; its ETag.', example: 1 })
  version: number;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When it was made.',
    example: '2026-01-31T09:30:00.000Z',
  })
  createdAt: Date;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When it last changed or ran.',
    example: '2026-01-31T09:30:00.000Z',
  })
  updatedAt: Date;

  /** Shows a row of the table. */
  static from(this: void, search: SavedSearch): SavedSearchDto {
    const {
      id,
      name,
      query,
      jobType,
      alertHours,
      webhookId,
      newMatches,
      lastSearchedAt,
      lastError,
      version,
      createdAt,
      updatedAt,
    } = search;
    return {
      id,
      name,
      query,
      jobType,
      alertHours,
      webhookId,
      newMatches,
      lastSearchedAt,
      lastError,
      version,
      createdAt,
      updatedAt,
    };
  }
}

import { ApiProperty, ApiPropertyOptional, PartialType } from '@nestjs/swagger';
import { IsIn, IsInt, Max, Min } from 'class-validator';
import { NullableField } from '../platform/http/validation/fields';
import { TextField } from '../platform/http/validation/text';
import type { SavedSearch } from './saved-search.entity';

/** Body of POST /v1/saved-searches. */
export class CreateSavedSearchDto {
  @ApiProperty({ type: String, maxLength: 100, description: 'Its name; each is used once.', example: 'Slow databases' })
  @TextField(100)
  name: string;

  @ApiProperty({
    type: String,
    maxLength: 500,
    description: "What to look for, in Upwork's search syntax.",
    example: 'postgresql AND performance',
  })
  @TextField(500)
  query: string;

  @ApiPropertyOptional({
    type: String,
    enum: ['fixed', 'hourly'],
    nullable: true,
    description: 'Only vacancies that pay so.',
    example: 'hourly',
  })
  @NullableField()
  @IsIn(['fixed', 'hourly'])
  jobType?: 'fixed' | 'hourly' | null;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 168,
    nullable: true,
    description: 'You are told of new matches at most once in so many hours; null: never.',
    example: 24,
  })
  @NullableField()
  @IsInt()
  @Min(1)
  @Max(168)
  alertHours?: number | null;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    nullable: true,
    description: 'The webhook of yours that is told; null: a mail tells you.',
    example: 2,
  })
  @NullableField()
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  webhookId?: number | null;
}

/** A merge patch of a saved search: what is left out stays, null clears what may be empty. */
export class UpdateSavedSearchDto extends PartialType(CreateSavedSearchDto, { skipNullProperties: false }) {}

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

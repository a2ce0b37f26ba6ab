import { ApiProperty, PartialType } from '@nestjs/swagger';
import type { SavedSearch } from './saved-search.entity';
import { EnumField, IdField, IntegerField } from '../platform/http/validation/fields';
import { TextField } from '../platform/http/validation/text';

/** Body of POST /v1/saved-searches. */
export class CreateSavedSearchDto {
  @TextField({ max: 100, description: 'Name of the search; unique per user.', example: 'Slow databases' })
  name: string;

  @TextField({ max: 500, description: "Search expression in Upwork's syntax.", example: 'postgresql AND performance' })
  query: string;

  @EnumField(['fixed', 'hourly'], {
    nullable: true,
    description: 'Job type to search for; null: both.',
    example: 'hourly',
  })
  jobType?: 'fixed' | 'hourly' | null;

  @IntegerField({
    min: 1,
    max: 168,
    nullable: true,
    description: 'Minimum hours between notifications of new matches; null: no notifications.',
    example: 24,
  })
  alertHours?: number | null;

  @IdField({ nullable: true, description: 'Id of the webhook to notify; null: by email.', example: 2 })
  webhookId?: number | null;
}

/** Merge patch of a saved search. Omitted fields do not change; null clears optional ones. */
export class UpdateSavedSearchDto extends PartialType(CreateSavedSearchDto, { skipNullProperties: false }) {}

/** Saved search in API responses. */
export class SavedSearchDto {
  @ApiProperty({ type: 'integer', description: 'Id of the search.', example: 4 })
  id: number;

  @ApiProperty({ type: String, description: 'Name of the search.', example: 'Slow databases' })
  name: string;

  @ApiProperty({ type: String, description: 'Search expression.', example: 'postgresql AND performance' })
  query: string;

  @ApiProperty({
    enum: ['fixed', 'hourly'],
    nullable: true,
    description: 'Job type to search for; null: both.',
    example: 'hourly',
  })
  jobType: 'fixed' | 'hourly' | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Minimum hours between notifications of new matches; null: no notifications.',
    example: 24,
  })
  alertHours: number | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Id of the webhook to notify; null: by email.',
    example: null,
  })
  webhookId: number | null;

  @ApiProperty({ type: 'integer', description: 'Number of jobs found since the last notification.', example: 3 })
  newMatches: number;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When the search last ran (UTC).',
    example: null,
  })
  lastSearchedAt: Date | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Error of the latest run; null when it succeeded.',
    example: null,
  })
  lastError: string | null;

  @ApiProperty({ type: 'integer', description: 'Version number, used as the ETag.', example: 1 })
  version: number;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When the search was created (UTC).',
    example: '2026-01-31T09:30:00.000Z',
  })
  createdAt: Date;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When the search last changed or ran (UTC).',
    example: '2026-01-31T09:30:00.000Z',
  })
  updatedAt: Date;

  /** Maps a row. */
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

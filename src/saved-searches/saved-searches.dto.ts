import { ApiProperty, PartialType } from '@nestjs/swagger';
import { ApiId, ApiInstant, ApiVersionNumber, pickFields, ResponseType } from '../platform/http/openapi/dto-fields';
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
export class SavedSearchDto extends ResponseType(CreateSavedSearchDto) {
  @ApiId('Id of the search.')
  id: number;

  @ApiProperty({ type: 'integer', description: 'Number of jobs found since the last notification.', example: 3 })
  newMatches: number;

  @ApiInstant({ description: 'When the search last ran (UTC).', nullable: true })
  lastSearchedAt: Date | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Error of the latest run; null when it succeeded.',
    example: null,
  })
  lastError: string | null;

  @ApiVersionNumber()
  version: number;

  @ApiInstant({ description: 'When the search was created (UTC).' })
  createdAt: Date;

  @ApiInstant({ description: 'When the search last changed or ran (UTC).' })
  updatedAt: Date;

  /** Maps a row. */
  static from(this: void, search: SavedSearchDto): SavedSearchDto {
    return pickFields(SavedSearchDto, search);
  }
}

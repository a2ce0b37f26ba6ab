import { ApiProperty, PartialType } from '@nestjs/swagger';
import { ApiId, ApiInstant, ApiVersionNumber, pickFields, ResponseType } from '../platform/http/openapi/dto-fields';
import {
  BooleanField,
  CountField,
  EnumField,
  IdField,
  IntegerField,
  TextField,
  TextListField,
} from '../platform/http/validation/fields';

/** Weekly hours that a search can ask for. */
export const SEARCH_WORKLOADS = ['full_time', 'part_time', 'as_needed'] as const;
/** One of SEARCH_WORKLOADS. */
export type SearchWorkload = (typeof SEARCH_WORKLOADS)[number];

/** Body of POST /v1/saved-searches. Upwork applies all filters. */
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

  @EnumField(['entry', 'intermediate', 'expert'], {
    nullable: true,
    description: 'Required experience; null: any.',
    example: 'expert',
  })
  experienceLevel?: 'entry' | 'intermediate' | 'expert' | null;

  @EnumField(SEARCH_WORKLOADS, { nullable: true, description: 'Weekly hours; null: any.', example: 'part_time' })
  workload?: SearchWorkload | null;

  @CountField({
    nullable: true,
    description: 'Lowest budget of fixed-price jobs; hourly jobs pass. Not above budgetMax.',
    example: 500,
  })
  budgetMin?: number | null;

  @CountField({ nullable: true, description: 'Highest budget of fixed-price jobs; hourly jobs pass.', example: 5_000 })
  budgetMax?: number | null;

  @CountField({
    nullable: true,
    description: 'Lowest hourly rate of hourly jobs; fixed-price jobs pass. Not above hourlyRateMax.',
    example: 40,
  })
  hourlyRateMin?: number | null;

  @CountField({ nullable: true, description: 'Highest hourly rate; fixed-price jobs pass.', example: 90 })
  hourlyRateMax?: number | null;

  @CountField({
    nullable: true,
    description: 'Lowest number of hires of the client; not above clientHiresMax.',
    example: 1,
  })
  clientHiresMin?: number | null;

  @CountField({ nullable: true, description: 'Highest number of hires of the client.', example: 100 })
  clientHiresMax?: number | null;

  @CountField({ nullable: true, description: 'Lowest number of applicants; not above applicantsMax.', example: 0 })
  applicantsMin?: number | null;

  @CountField({ nullable: true, description: 'Highest number of applicants.', example: 20 })
  applicantsMax?: number | null;

  @BooleanField({
    optional: true,
    description: 'Only clients with a verified payment method. The default is false.',
    example: true,
  })
  paymentVerifiedOnly?: boolean;

  @BooleanField({
    optional: true,
    description: 'Only clients the user has worked for. The default is false.',
    example: false,
  })
  previousClientsOnly?: boolean;

  @TextListField({
    maxItems: 20,
    max: 100,
    optional: true,
    description: 'Countries or regions of the client, in the names of Upwork. The default is any.',
    example: ['Germany', 'Austria'],
  })
  locations?: string[];

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

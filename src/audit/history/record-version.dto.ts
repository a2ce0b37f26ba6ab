import { ApiProperty } from '@nestjs/swagger';
import { ApiInstant } from '../../platform/http/openapi/dto-fields';
import { PageQueryDto } from '../../platform/http/pagination/page.dto';
import { IdField, InstantField } from '../../platform/http/validation/fields';

/** Parameters of a record's audit trail: a page of its changes, or one of its versions. */
export class AuditTrailQueryDto extends PageQueryDto {
  @InstantField({
    optional: true,
    description: 'Return the record as it was at this time, not a page of its changes.',
    example: '2027-01-01T00:00:00Z',
  })
  at?: Date;
}

/** The version to restore. */
export class RestoreDto {
  @IdField({ description: 'Id of the audit entry after which the record had this version.', example: 1001 })
  auditId: number;
}

/** A record as it was at an instant. */
export class RecordVersionDto {
  @ApiProperty({ type: String, description: 'Table of the record.', example: 'proposals' })
  table: string;

  @ApiProperty({ type: 'integer', description: 'Id of the record.', example: 7 })
  recordId: number;

  @ApiInstant({ description: 'The requested time (UTC).' })
  at: Date;

  @ApiProperty({ type: Boolean, description: 'True when the record existed at that time.', example: true })
  exists: boolean;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Id of the audit entry that made this version; null before the first one.',
    example: 1001,
  })
  auditId: number | null;

  @ApiProperty({
    type: Boolean,
    description:
      'False when the log no longer has the creation of the record. Then only fields that changed are known.',
    example: true,
  })
  isComplete: boolean;

  @ApiProperty({
    type: Boolean,
    description: 'True when values of this version were erased. They are missing from `fields`.',
    example: false,
  })
  isErased: boolean;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'Fields with a value, in the formats of the API. Secrets are shown as "[redacted]".',
    example: { bidAmount: '45.00' },
  })
  fields: Record<string, unknown>;
}

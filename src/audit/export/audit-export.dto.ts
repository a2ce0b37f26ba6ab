import { EnumField, InstantField } from '../../platform/http/validation/fields';

const FORMATS = ['ndjson', 'csv'] as const;

/** The form of an export. */
export type ExportFormat = (typeof FORMATS)[number];

/** Form and range of an export of the logs. */
export class ExportLogsDto {
  @EnumField(FORMATS, {
    optional: true,
    description: 'ndjson can be verified offline; csv is for spreadsheets.',
    example: 'ndjson',
    default: 'ndjson',
  })
  format: ExportFormat = 'ndjson';

  @InstantField({ optional: true, description: 'Only rows at or after this time.', example: '2026-01-01T00:00:00Z' })
  from?: Date;

  @InstantField({ optional: true, description: 'Only rows before this time.', example: '2027-01-01T00:00:00Z' })
  to?: Date;
}

import { ApiProperty } from '@nestjs/swagger';

/** A partition. */
export class PartitionDto {
  @ApiProperty({ type: String, description: 'Its table.', example: 'audit_logs' })
  table: string;

  @ApiProperty({ type: String, description: 'Its name.', example: 'audit_logs_2026' })
  name: string;

  @ApiProperty({ type: Boolean, description: 'It takes what no other takes.', example: false })
  isDefault: boolean;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'Its first instant; null for the default one.',
    example: '2026-01-01T00:00:00.000Z',
  })
  from: Date | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'The first instant after it; null for the default one.',
    example: '2027-01-01T00:00:00.000Z',
  })
  to: Date | null;

  @ApiProperty({ type: 'integer', description: 'Its size, with indexes.', example: 819200 })
  sizeBytes: number;

  @ApiProperty({ type: String, description: 'The same, for people.', example: '800 kB' })
  size: string;

  @ApiProperty({ type: 'integer', description: 'Its rows, as PostgreSQL estimates.', example: 5200 })
  liveRows: number;
}

import { ApiProperty } from '@nestjs/swagger';

/** A change of the master key, and how far it has come. */
export class KeyRotationDto {
  @ApiProperty({ type: String, description: 'The key that shall wrap all data keys.', example: 'k20261125-9f1c22ab' })
  keyId: string;

  @ApiProperty({ type: Date, description: 'When it was asked for.', example: '2026-11-25T10:00:00.000Z' })
  startedAt: Date;

  @ApiProperty({
    type: Date,
    nullable: true,
    description: 'Since when the key wraps; null while not every process has it.',
    example: '2026-11-25T10:00:02.000Z',
  })
  promotedAt: Date | null;

  @ApiProperty({
    type: Date,
    nullable: true,
    description: 'When no data key was left under another; null while it is under way.',
    example: null,
  })
  finishedAt: Date | null;

  @ApiProperty({ type: 'integer', description: 'Data keys that it wraps now.', example: 700 })
  rewrapped: number;

  @ApiProperty({ type: 'integer', description: 'All data keys.', example: 1500 })
  total: number;
}

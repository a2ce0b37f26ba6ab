import { ApiProperty } from '@nestjs/swagger';

/** A master key of secrets at rest, by its name; the key itself is shown nowhere. */
export class EncryptionKeyDto {
  @ApiProperty({ type: String, description: 'Its id in ENCRYPTION_KEYS or the key file.', example: 'k1' })
  id: string;

  @ApiProperty({ type: Boolean, description: 'Whether it wraps new data keys.', example: true })
  isCurrent: boolean;

  @ApiProperty({
    type: Boolean,
    description: 'Whether this process has it; one that is in use and missing loses secrets.',
    example: true,
  })
  isConfigured: boolean;

  @ApiProperty({
    type: 'integer',
    description: 'Data keys it wraps; an old key may be removed when this and `backups` are 0.',
    example: 12,
  })
  uses: number;

  @ApiProperty({ type: 'integer', description: 'Backups that are kept and open with it only.', example: 3 })
  backups: number;
}

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

/** The master keys, the current one first. */
export class EncryptionKeyListDto {
  @ApiProperty({
    type: Boolean,
    description:
      'Whether a rotation makes its own key; else it is to the first of ENCRYPTION_KEYS, and keys leave there too.',
    example: true,
  })
  makesKeys: boolean;

  @ApiProperty({ type: [EncryptionKeyDto], description: 'The keys.' })
  items: EncryptionKeyDto[];

  @ApiProperty({ type: KeyRotationDto, nullable: true, description: 'The latest rotation, or the one under way.' })
  rotation: KeyRotationDto | null;
}

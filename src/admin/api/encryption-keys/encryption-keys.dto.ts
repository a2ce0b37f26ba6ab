import { ApiProperty } from '@nestjs/swagger';

/** A master key of secrets at rest, without the key itself. */
export class EncryptionKeyDto {
  @ApiProperty({ type: String, description: 'Id in ENCRYPTION_KEYS or the key file.', example: 'k1' })
  id: string;

  @ApiProperty({ type: Boolean, description: 'True when it wraps new data keys.', example: true })
  isCurrent: boolean;

  @ApiProperty({
    type: Boolean,
    description: 'True when this process has the key. Secrets under a missing key cannot be read.',
    example: true,
  })
  isConfigured: boolean;

  @ApiProperty({
    type: 'integer',
    description: 'Number of data keys it wraps. An old key can be removed when this and `backups` are 0.',
    example: 12,
  })
  uses: number;

  @ApiProperty({ type: 'integer', description: 'Number of stored backups that need it.', example: 3 })
  backups: number;
}

/** A rotation of the master key and its progress. */
export class KeyRotationDto {
  @ApiProperty({
    type: String,
    description: 'Id of the key that will wrap all data keys.',
    example: 'k20261125-9f1c22ab',
  })
  keyId: string;

  @ApiProperty({
    type: Date,
    description: 'When the rotation was requested (UTC).',
    example: '2026-11-25T10:00:00.000Z',
  })
  startedAt: Date;

  @ApiProperty({
    type: Date,
    nullable: true,
    description: 'When the key came into use (UTC). Null until every process has it.',
    example: '2026-11-25T10:00:02.000Z',
  })
  promotedAt: Date | null;

  @ApiProperty({
    type: Date,
    nullable: true,
    description: 'When the last data key was wrapped with it (UTC). Null while the rotation runs.',
    example: null,
  })
  finishedAt: Date | null;

  @ApiProperty({ type: 'integer', description: 'Number of data keys wrapped with the key so far.', example: 700 })
  rewrapped: number;

  @ApiProperty({ type: 'integer', description: 'Number of all data keys.', example: 1500 })
  total: number;
}

/** The master keys, the current one first. */
export class EncryptionKeyListDto {
  @ApiProperty({
    type: Boolean,
    description:
      'True when a rotation creates a key in the key file. Otherwise keys are added to and removed from ' +
      'ENCRYPTION_KEYS, which contains them or names them in a key management service.',
    example: true,
  })
  makesKeys: boolean;

  @ApiProperty({ type: [EncryptionKeyDto], description: 'Master keys, the current one first.' })
  items: EncryptionKeyDto[];

  @ApiProperty({
    type: KeyRotationDto,
    nullable: true,
    description: 'The running or latest rotation. Null before the first.',
  })
  rotation: KeyRotationDto | null;
}

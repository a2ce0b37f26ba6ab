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

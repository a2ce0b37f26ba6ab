import { ApiProperty } from '@nestjs/swagger';
import { EncryptionKeyDto } from './encryption-key.dto';
import { KeyRotationDto } from './key-rotation.dto';

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

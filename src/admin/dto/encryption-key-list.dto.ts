import { ApiProperty } from '@nestjs/swagger';
import { EncryptionKeyDto } from './encryption-key.dto';

/** The master keys, the current one first. */
export class EncryptionKeyListDto {
  @ApiProperty({ type: [EncryptionKeyDto], description: 'The keys.' })
  items: EncryptionKeyDto[];
}

import { ApiProperty } from '@nestjs/swagger';

/** As vendors write prices. */
const PRICE = { type: String, pattern: '^\\d{1,8}(\\.\\d{1,12})?$' } as const;

/** A model a draft may name. */
export class ModelDto {
  @ApiProperty({ type: String, description: 'What to give as `model`.', example: 'claude-sonnet-4-5' })
  id: string;

  @ApiProperty({ type: String, description: 'Its vendor.', example: 'anthropic' })
  provider: string;

  @ApiProperty({ type: Boolean, description: 'Whether it can be called.', example: true })
  isAvailable: boolean;

  @ApiProperty({ type: String, nullable: true, description: 'The setting to give when it cannot.', example: null })
  missingSetting: string | null;

  @ApiProperty({ type: Boolean, description: "Whether it is its vendor's for drafts that name none.", example: true })
  isDefault: boolean;

  @ApiProperty({ ...PRICE, description: 'USD for a million aiTokens sent.', example: '3' })
  inputUsdPerMillion: string;

  @ApiProperty({ ...PRICE, description: 'USD for a million aiTokens written.', example: '15' })
  outputUsdPerMillion: string;
}

import { ApiProperty } from '@nestjs/swagger';
import { ApiAmount } from '../../platform/http/money-field';

/** What a model was used for this month. */
export class ModelUsageDto {
  @ApiProperty({ type: String, description: 'The vendor.', example: 'anthropic' })
  provider: string;

  @ApiProperty({ type: String, description: 'The model.', example: 'claude-sonnet-4-5' })
  model: string;

  @ApiProperty({ type: 'integer', description: 'Calls, however they ended.', example: 12 })
  calls: number;

  @ApiProperty({ type: 'integer', description: 'aiTokens sent.', example: 9744 })
  inputAiTokens: number;

  @ApiProperty({ type: 'integer', description: 'aiTokens written.', example: 2880 })
  outputAiTokens: number;

  @ApiProperty({ type: 'integer', description: 'aiTokens sent that the vendor had cached.', example: 0 })
  cachedAiTokens: number;

  @ApiAmount({ places: 12, description: 'What they cost, in USD.', example: '0.072432000000' })
  costUsd: string;
}

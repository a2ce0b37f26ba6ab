import { Body, Controller, Get, Put } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SignedIn } from '../platform/http/access/access';
import { ModelListDto, PutBudgetDto, UsageDto } from './ai.dto';
import { UsageLedgerService } from './usage/usage-ledger.service';
import { ModelsService } from './models.service';

/** AI models, their prices, and the budget and usage of the signed-in user. */
@ApiTags('AI')
@SignedIn()
@Controller({ path: 'ai', version: '1' })
export class AiController {
  constructor(
    private readonly models: ModelsService,
    private readonly ledger: UsageLedgerService,
  ) {}

  @Get('models')
  @ApiOperation({
    operationId: 'listAiModels',
    summary: 'List AI models',
    description: 'In the order their providers are tried. An unavailable model names the setting that is missing.',
  })
  @ApiOkResponse({ type: ModelListDto, description: 'AI models.' })
  listModels(): ModelListDto {
    return this.models.list();
  }

  @Get('usage')
  @ApiOperation({
    operationId: 'getAiUsage',
    summary: 'Get your AI usage',
    description:
      'Budget, spent and reserved amounts of the current day and month (UTC), and usage of the month by model.',
  })
  @ApiOkResponse({ type: UsageDto, description: 'Budget and usage.' })
  async getUsage(): Promise<UsageDto> {
    const [state, models] = await Promise.all([this.ledger.getBudget(), this.ledger.listUsageByModel()]);
    return UsageDto.from(state, models);
  }

  @Put('budget')
  @ApiOperation({
    operationId: 'setAiBudget',
    summary: 'Set your AI budget',
    description:
      'Sets limits in USD per day and per month, at most the ceiling of the installation. ' +
      'A draft that could exceed them is rejected with 402.',
  })
  @ApiOkResponse({ type: UsageDto, description: 'Usage with the new budget.' })
  async setBudget(@Body() { dailyUsd = null, monthlyUsd = null }: PutBudgetDto): Promise<UsageDto> {
    const state = await this.ledger.setBudget(dailyUsd, monthlyUsd);
    return UsageDto.from(state, await this.ledger.listUsageByModel());
  }
}

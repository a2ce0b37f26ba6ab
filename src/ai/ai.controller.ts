import { Body, Controller, Get, Put } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SignedIn } from '../platform/http/access/access';
import { ModelListDto, PutBudgetDto, UsageDto } from './ai.dto';
import { UsageLedgerService } from './usage/usage-ledger.service';
import { ModelsService } from './models.service';

/** Which models there are, what they may cost and have cost. */
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
    summary: 'List the models',
    description: 'In the order their vendors are tried, with the setting that is missing where one cannot be called.',
  })
  @ApiOkResponse({ type: ModelListDto, description: 'The models.' })
  listModels(): ModelListDto {
    return this.models.list();
  }

  @Get('usage')
  @ApiOperation({
    operationId: 'getAiUsage',
    summary: 'Read what AI has cost you',
    description: 'Budget, booked and reserved amounts of the day and the month (UTC), and the month by model.',
  })
  @ApiOkResponse({ type: UsageDto, description: 'The books.' })
  async getUsage(): Promise<UsageDto> {
    const [state, models] = await Promise.all([this.ledger.getBudget(), this.ledger.listUsageByModel()]);
    return UsageDto.from(state, models);
  }

  @Put('budget')
  @ApiOperation({
    operationId: 'setAiBudget',
    summary: 'Set your AI budget',
    description:
      'USD a day and a month; never more than the ceiling of the installation. A call that could pass it is answered 402.',
  })
  @ApiOkResponse({ type: UsageDto, description: 'The books with the new budget.' })
  async setBudget(@Body() { dailyUsd = null, monthlyUsd = null }: PutBudgetDto): Promise<UsageDto> {
    const state = await this.ledger.setBudget(dailyUsd, monthlyUsd);
    return UsageDto.from(state, await this.ledger.listUsageByModel());
  }
}

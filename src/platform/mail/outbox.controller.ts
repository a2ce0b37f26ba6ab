import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Config } from '../config/config';
import { AppError } from '../errors/app-error';
import { AdminOnly } from '../http/access/access';
import { ListOutboxDto, OutboxDto } from './outbox.dto';
import { EmailOutboxService } from './mailer.service';

/** The outbox of an installation without a mail server, for development and trials. */
@ApiTags('Development')
@AdminOnly()
@Controller({ path: 'dev/outbox', version: '1' })
export class OutboxController {
  constructor(
    private readonly outbox: EmailOutboxService,
    private readonly config: Config,
  ) {}

  @Get()
  @ApiOperation({
    operationId: 'listOutbox',
    summary: 'List emails in the local outbox',
    description:
      'Returns emails of the last 24 hours that were stored because no mail server is set up, newest first. ' +
      'Not available in production (404).',
  })
  @ApiOkResponse({ type: OutboxDto })
  async list(@Query() { to }: ListOutboxDto): Promise<OutboxDto> {
    if (this.config.isProduction) throw new AppError('route.not_found');
    return { items: await this.outbox.list(to) };
  }
}

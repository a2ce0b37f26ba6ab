import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Config } from '../config/config';
import { AppError } from '../errors/app-error';
import { AdminOnly } from '../http/access/access';
import { ListOutboxDto, OutboxDto } from './outbox.dto';
import { EmailOutboxService } from './email-outbox.service';

/** The outbox of a server without a mail server, for whoever tries Gigvault out. */
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
    summary: 'Read the local outbox',
    description: 'Letters of the last 24 hours that no mail server took, newest first. Absent in production.',
  })
  @ApiOkResponse({ type: OutboxDto })
  async list(@Query() { to }: ListOutboxDto): Promise<OutboxDto> {
    if (this.config.isProduction) throw new AppError('route.not_found');
    return { items: await this.outbox.list(to) };
  }
}

import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '../http/access';
import { HealthChecks, type Readiness } from './health-checks';

/** Answers probes: whether the process lives, and whether it should get requests. */
@ApiTags('Health')
@Controller('health')
@Public('probes carry no session; the answer names parts, never reasons')
export class HealthController {
  constructor(private readonly checks: HealthChecks) {}

  @Get('live')
  @ApiOperation({ summary: 'Tell whether the process lives', description: 'Asks nobody else; restart it when this fails.' })
  @ApiOkResponse({ description: 'It does.', example: { status: 'ok' } })
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('ready')
  @ApiOperation({
    summary: 'Tell whether the process can serve',
    description: 'Each part has a second to answer. Not ready while stopping. Partitions only ever warn.',
  })
  @ApiOkResponse({
    description: 'It can.',
    example: { status: 'ready', checks: { postgres: { status: 'ok' }, redis: { status: 'ok' } } },
  })
  @ApiServiceUnavailableResponse({
    description: 'It cannot.',
    example: { status: 'not_ready', checks: { postgres: { status: 'failed', detail: 'no answer in time' } } },
  })
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<Readiness> {
    const readiness = await this.checks.ready();
    if (readiness.status === 'not_ready') void reply.status(503);
    return readiness;
  }
}

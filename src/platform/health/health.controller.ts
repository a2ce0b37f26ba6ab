import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '../http/access/access';
import { HealthService, type Readiness } from './health.service';

/** Answers probes of liveness and readiness. */
@ApiTags('Health')
@Controller('health')
@Public('probes carry no session; the answer names parts in a few words, never the text of an error')
export class HealthController {
  constructor(private readonly checks: HealthService) {}

  @Get('live')
  @ApiOperation({
    operationId: 'checkLiveness',
    summary: 'Check liveness',
    description: 'Asks no other service. Restart the process when this fails.',
  })
  @ApiOkResponse({ description: 'The process lives.', example: { status: 'ok' } })
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('ready')
  @ApiOperation({
    operationId: 'checkReadiness',
    summary: 'Check readiness',
    description:
      'Asks each part the way requests do: PostgreSQL through the pool of requests, with a write to its disk, and Redis by a write. A part that does not answer within a second has failed. Not ready while stopping. Partitions only warn.',
  })
  @ApiOkResponse({
    description: 'Requests can be served.',
    example: { status: 'ready', checks: { postgres: { status: 'ok' }, redis: { status: 'ok' } } },
  })
  @ApiServiceUnavailableResponse({
    description: 'Requests cannot be served.',
    example: { status: 'not_ready', checks: { postgres: { status: 'failed', detail: 'disk full' } } },
  })
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<Readiness> {
    const readiness = await this.checks.ready();
    if (readiness.status === 'not_ready') void reply.status(503);
    return readiness;
  }
}

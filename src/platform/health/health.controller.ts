import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '../http/access/access';
import { LivenessDto, ReadinessDto } from './health.dto';
import { HealthService } from './health.service';

/** The routes of liveness and readiness probes. */
@ApiTags('Health')
@Controller('health')
@Public('probes have no session; the response contains fixed words, never the text of an error')
export class HealthController {
  constructor(private readonly checks: HealthService) {}

  @Get('live')
  @ApiOperation({
    operationId: 'checkLiveness',
    summary: 'Check liveness',
    description: 'Checks no dependency. Restart the process when this fails.',
  })
  @ApiOkResponse({ type: LivenessDto, description: 'The process is alive.' })
  live(): LivenessDto {
    return { status: 'ok' };
  }

  @Get('ready')
  @ApiOperation({
    operationId: 'checkReadiness',
    summary: 'Check readiness',
    description:
      'Checks that PostgreSQL and Redis can be written to. A check fails after one second. Missing partitions and ' +
      'a key management service that cannot be used are a warning. The process is not ready while it stops. ' +
      'Results are up to one second old.',
  })
  @ApiOkResponse({ type: ReadinessDto, description: 'Requests can be served.' })
  @ApiServiceUnavailableResponse({
    type: ReadinessDto,
    description: 'Requests cannot be served.',
    example: { status: 'not_ready', checks: { postgres: { status: 'failed', detail: 'disk full' } } },
  })
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<ReadinessDto> {
    const readiness = await this.checks.ready();
    if (readiness.status === 'not_ready') void reply.status(503);
    return readiness;
  }
}

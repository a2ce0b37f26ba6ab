import { Body, Controller, Get, HttpCode, Param, Post, Res, type StreamableFile } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { AdminOnly } from '../../../platform/http/access/access';
import { ServesEvents } from '../../../platform/http/edge/request-hooks';
import { EVENT_STREAM, toEventStream } from '../../../platform/http/responses/event-stream';
import { ParseIdPipe } from '../../../platform/http/validation/request-validation.pipe';
import { Idempotent } from '../../../platform/idempotency/idempotency.interceptor';
import { LogVerificationDto, VerifyLogsDto } from './log-verifications.dto';
import { LogVerificationsService } from './log-verifications.service';

const ID = { name: 'id', type: 'integer', description: 'Id of the verification.', example: 3 } as const;

/** Routes for verifications of the logs; every request is a security event. */
@ApiTags('Admin')
@AdminOnly()
@Controller({ path: 'admin/audit/verify', version: '1' })
export class LogVerificationsController {
  constructor(private readonly verifications: LogVerificationsService) {}

  @Post()
  @Idempotent()
  @HttpCode(202)
  @ApiOperation({
    operationId: 'verifyLogs',
    summary: 'Verify the logs',
    description:
      'Queues a comparison of the audit and security logs with their seals, which a worker makes: all seals, and the ' +
      'rows of the given times. Answers 409 while another one is not finished. Differences are also sent to all ' +
      'admins by email. Needs POST /v1/auth/step-up within the last 10 minutes.',
  })
  @ApiAcceptedResponse({ type: LogVerificationDto, description: 'The queued verification.' })
  async start(
    @Body() dto: VerifyLogsDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<LogVerificationDto> {
    const verification = await this.verifications.start(dto);
    void reply.header('location', `/v1/admin/audit/verify/${verification.id}`);
    return verification;
  }

  @Get(':id')
  @ApiOperation({
    operationId: 'getLogVerification',
    summary: 'Get a verification of the logs',
    description: 'Returns its progress and, when it is finished, its report. Reports are kept.',
  })
  @ApiParam(ID)
  @ApiOkResponse({ type: LogVerificationDto, description: 'The verification.' })
  get(@Param('id', ParseIdPipe) id: number): Promise<LogVerificationDto> {
    return this.verifications.get(id);
  }

  @Get(':id/events')
  @ServesEvents()
  @ApiOperation({
    operationId: 'streamLogVerification',
    summary: 'Stream a verification of the logs',
    description: 'Streams its progress as server-sent events, and ends with the verification.',
  })
  @ApiParam(ID)
  @ApiOkResponse({
    description: 'Events: `progress` ({status, progress}), `done` (the verification), `end` (the session is over).',
    content: { [EVENT_STREAM]: { schema: { type: 'string' } } },
  })
  @ApiResponse({ status: 429, description: 'Too many of your event streams are open.' })
  async streamEvents(
    @Param('id', ParseIdPipe) id: number,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    return toEventStream(await this.verifications.openStream(id, reply), reply);
  }
}

import { Body, Controller, Get, Header, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiExcludeController, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { AdminOnly, Public } from '../../platform/http/access/access';
import { ReadsBytes, ServesTypes } from '../../platform/http/edge/request-hooks';
import { NotIdempotent } from '../../platform/idempotency/idempotency.interceptor';
import { WitnessDto } from './witness.dto';
import { WitnessService } from './witness.service';

const TEXT = 'text/plain; charset=utf-8';

/** The media type of a size in the answer 409. @see https://c2sp.org/tlog-witness#add-checkpoint */
const SIZE_TYPE = 'text/x.tlog.size';

/**
 * Routes of this installation as a C2SP witness of other logs. Paths, statuses and texts are those of the
 * specification, which documents them in place of the OpenAPI document.
 * @see https://c2sp.org/tlog-witness
 */
@ApiExcludeController()
@Public('logs have no account: each request is signed by its log')
@Controller({ path: 'audit/witness', version: '1' })
export class WitnessController {
  constructor(private readonly witness: WitnessService) {}

  @Post('add-checkpoint')
  @HttpCode(200)
  @NotIdempotent('the old size makes a repeated request a conflict')
  @ReadsBytes('text/plain', SIZE_TYPE)
  async addCheckpoint(@Body() body: Buffer, @Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    const answer = await this.witness.addCheckpoint(body);
    if ('cosignatures' in answer) {
      void reply.type(TEXT);
      return answer.cosignatures;
    }
    void reply.status(409).type(SIZE_TYPE);
    return `${answer.expectedSize}\n`;
  }

  @Get(':originHash/checkpoint')
  @Header('content-type', TEXT)
  @ServesTypes('text/plain')
  getCheckpoint(@Param('originHash') originHash: string): Promise<string> {
    return this.witness.getCheckpoint(originHash);
  }
}

/** The route for the administration of the witness. */
@ApiTags('Admin')
@AdminOnly()
@Controller({ path: 'admin/audit/witness', version: '1' })
export class AdminWitnessController {
  constructor(private readonly witness: WitnessService) {}

  @Get()
  @ApiOperation({
    operationId: 'getWitness',
    summary: 'Get the witness keys and logs',
    description:
      'The keys with which this installation cosigns heads of other logs, for their setting AUDIT_WITNESSES, and the ' +
      'newest cosigned head of each log.',
  })
  @ApiOkResponse({ type: WitnessDto, description: 'The witness.' })
  describe(): Promise<WitnessDto> {
    return this.witness.describe();
  }
}

import { Readable } from 'node:stream';
import { Body, Controller, Delete, Get, HttpCode, Param, Query, Req, Res, StreamableFile } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiCreatedResponse,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SignedIn } from '../../platform/http/access/access';
import { IfMatch, type Preconditions } from '../../platform/http/responses/preconditions';
import { ApiPage, type Page } from '../../platform/http/pagination/page.dto';
import { ParseIdPipe } from '../../platform/http/validation/request-validation.pipe';
import { HandlesIdempotencyKey } from '../../platform/idempotency/idempotency.interceptor';
import { hashRequest, readIdempotencyKey } from '../../platform/idempotency/idempotency-store';
import { Post } from '../../platform/idempotency/post';
import { CreateGenerationDto, GenerationDto, ListGenerationsDto } from './generations.dto';
import { GenerationEventsService } from './generation-events.service';
import { GenerationsService, type RequestKey } from './generations.service';

const EVENT_STREAM = 'text/event-stream';

const EVENTS_DESCRIPTION = 'Events `delta` ({text}), `done` (the generation) and `end` (the session is over).';

/** Texts written by AI vendors. */
@ApiTags('AI')
@SignedIn()
@Controller({ path: 'ai/generations', version: '1' })
export class GenerationsController {
  constructor(
    private readonly generations: GenerationsService,
    private readonly events: GenerationEventsService,
  ) {}

  @Post()
  @HandlesIdempotencyKey('no transaction may be open while a vendor writes; the key is kept with the reservation')
  @ApiOperation({
    operationId: 'createGeneration',
    summary: 'Write a draft',
    description:
      'Answers the text when it is complete; with `Prefer: respond-async` 202 at once; with `Accept: text/event-stream` the text as it is written (events `delta` with ids, then `done`; `end` when the session is over). ' +
      'The worst case is reserved in your budget before a vendor is called, and what was really spent is booked afterwards. A client that leaves does not stop it: DELETE does. ' +
      'The same Idempotency-Key finds the same generation and never starts a second call.',
  })
  @ApiHeader({
    name: 'Prefer',
    required: false,
    description: '`respond-async` answers 202 at once.',
    schema: { type: 'string', example: 'respond-async' },
  })
  @ApiOkResponse({ description: EVENTS_DESCRIPTION, content: { [EVENT_STREAM]: { schema: { type: 'string' } } } })
  @ApiCreatedResponse({ type: GenerationDto, description: 'The generation with its text.' })
  @ApiAcceptedResponse({ type: GenerationDto, description: 'The generation, being written.' })
  @ApiResponse({ status: 402, description: 'The budget does not allow it: what is left, and when it renews.' })
  @ApiResponse({
    status: 429,
    description:
      'Too many of your drafts are being written, or too many of your event streams are open; Retry-After says when to try again.',
  })
  @ApiResponse({
    status: 503,
    description: 'No vendor is configured, or all users together have used the AI budget of the installation.',
  })
  @ApiResponse({ status: 502, description: 'No vendor wrote the text; the generation tells why.' })
  async create(
    @Body() dto: CreateGenerationDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<GenerationDto | StreamableFile> {
    if (isEventStreamRequested(request)) await this.events.reserveStream(reply);
    const { id, isReplay } = await this.generations.start(dto, readRequestKey(request));
    void reply.header('location', `/v1/ai/generations/${id}`);
    if (isReplay) void reply.header('idempotent-replayed', 'true');
    if (isEventStreamRequested(request)) {
      void reply.status(200);
      return toEventStream(await this.events.open(id, 0), reply);
    }
    if (!/(?:^|[,;\s])respond-async(?:$|[,;\s])/i.test(String(request.headers.prefer ?? '')))
      return this.generations.waitForResult(id);
    void reply.status(202).header('preference-applied', 'respond-async');
    return this.generations.get(id);
  }

  @Get()
  @ApiOperation({
    operationId: 'listGenerations',
    summary: 'List your generations',
    description: 'Newest first, however they ended.',
  })
  @ApiPage(GenerationDto)
  list(@Query() query: ListGenerationsDto): Promise<Page<GenerationDto>> {
    return this.generations.list(query);
  }

  @Get(':id')
  @ApiOperation({
    operationId: 'getGeneration',
    summary: 'Read a generation',
    description: 'With its ETag; If-None-Match answers 304.',
  })
  @ApiOkResponse({ type: GenerationDto, description: 'The generation.' })
  get(@Param('id', ParseIdPipe) id: number): Promise<GenerationDto> {
    return this.generations.get(id);
  }

  @Get(':id/stream')
  @ApiOperation({
    operationId: 'streamGenerationEvents',
    summary: 'Watch a generation being written',
    description:
      'Goes on behind Last-Event-ID, on whichever process: no second call is made. The last event is `done` and holds the whole generation, or `end` when your session is over.',
  })
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'Id of the last event you have.',
    schema: { type: 'string', example: '17' },
  })
  @ApiOkResponse({ description: EVENTS_DESCRIPTION, content: { [EVENT_STREAM]: { schema: { type: 'string' } } } })
  @ApiResponse({ status: 429, description: 'Too many of your event streams are open.' })
  async streamEvents(
    @Param('id', ParseIdPipe) id: number,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    await this.events.reserveStream(reply);
    return toEventStream(await this.events.open(id, readLastEventId(request)), reply);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'cancelGeneration',
    summary: 'Cancel a generation',
    description:
      "Ends the vendor's call. What was written stays, what it cost is booked; one that is over stays as it is.",
  })
  @ApiNoContentResponse({ description: 'It ends.' })
  cancel(@Param('id', ParseIdPipe) id: number, @IfMatch() ifMatch?: Preconditions): Promise<void> {
    return this.generations.cancel(id, ifMatch);
  }
}

function readRequestKey(request: FastifyRequest): RequestKey | undefined {
  const key = readIdempotencyKey(request.headers['idempotency-key']);
  return key === undefined ? undefined : { key, hash: hashRequest(request.method, request.url, request.body) };
}

function isEventStreamRequested({ headers }: FastifyRequest): boolean {
  return (headers.accept ?? '').toLowerCase().includes(EVENT_STREAM);
}

/** What is no id of ours has seen nothing. */
function readLastEventId({ headers }: FastifyRequest): number {
  const id = String(headers['last-event-id'] ?? '');
  return /^\d{1,9}$/.test(id) ? Number(id) : 0;
}

/** Proxies gather what they pass on unless they are told not to. */
function toEventStream(events: AsyncGenerator<string>, reply: FastifyReply): StreamableFile {
  void reply.header('x-accel-buffering', 'no');
  return new StreamableFile(Readable.from(events, { objectMode: false }), { type: `${EVENT_STREAM}; charset=utf-8` });
}

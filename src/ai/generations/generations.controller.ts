import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Post,
  Query,
  Req,
  Res,
  type StreamableFile,
} from '@nestjs/common';
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
import { EVENT_STREAM, toEventStream } from '../../platform/http/responses/event-stream';
import { IfMatch, type Preconditions } from '../../platform/http/responses/preconditions';
import { ApiPage, type Page } from '../../platform/http/pagination/page.dto';
import { ServesEvents } from '../../platform/http/edge/request-hooks';
import { ParseIdPipe } from '../../platform/http/validation/request-validation.pipe';
import { readRequestKey, HandlesIdempotencyKey } from '../../platform/idempotency/idempotency.interceptor';
import { CreateGenerationDto, GenerationDto, ListGenerationsDto } from './generations.dto';
import { GenerationEventsService } from './generation-events.service';
import { GenerationsService } from './generations.service';

const PREFER_HEADER = {
  name: 'Prefer',
  required: false,
  description: '`respond-async` returns 202 at once.',
  schema: { type: 'string', example: 'respond-async' },
} as const;

const EVENTS_DESCRIPTION = 'Events: `delta` ({text}), `done` (the generation), `end` (the session is over).';

/** Drafts written by AI providers. */
@ApiTags('AI')
@SignedIn()
@Controller({ path: 'ai/generations', version: '1' })
export class GenerationsController {
  constructor(
    private readonly generations: GenerationsService,
    private readonly events: GenerationEventsService,
  ) {}

  @Post()
  @ServesEvents()
  @HandlesIdempotencyKey('no transaction may be open while a provider writes; the key is stored with the reservation')
  @ApiOperation({
    operationId: 'createGeneration',
    summary: 'Generate a draft',
    description:
      'Returns the complete text. `Prefer: respond-async` returns 202 at once. `Accept: text/event-stream` streams ' +
      'the text (events `delta` with ids, then `done`; `end` when the session is over). ' +
      'The maximum cost is reserved in your budget before a provider is called; the actual cost replaces it ' +
      'afterwards. Closing the connection does not cancel the draft: use DELETE. ' +
      'Repeating the Idempotency-Key returns the same generation and never starts a second call.',
  })
  @ApiHeader(PREFER_HEADER)
  @ApiOkResponse({ description: EVENTS_DESCRIPTION, content: { [EVENT_STREAM]: { schema: { type: 'string' } } } })
  @ApiCreatedResponse({ type: GenerationDto, description: 'The generation with its text.' })
  @ApiAcceptedResponse({ type: GenerationDto, description: 'The generation in progress.' })
  @ApiResponse({ status: 402, description: 'The budget is too low. The answer says what is left and when it renews.' })
  @ApiResponse({
    status: 403,
    description: 'The job or its conversation is from Upwork, and this server sends no such texts to AI providers.',
  })
  @ApiResponse({
    status: 429,
    description:
      'Too many of your drafts are running, or too many of your event streams are open. Try again after Retry-After.',
  })
  @ApiResponse({
    status: 503,
    description: 'No provider is configured, or all users together have used the AI budget of the installation.',
  })
  @ApiResponse({ status: 502, description: 'No provider wrote the text. `error` of the generation says why.' })
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
    summary: 'List generations',
    description: 'Returns your generations in every status, newest first.',
  })
  @ApiPage(GenerationDto)
  list(@Query() query: ListGenerationsDto): Promise<Page<GenerationDto>> {
    return this.generations.list(query);
  }

  @Get(':id')
  @ApiOperation({
    operationId: 'getGeneration',
    summary: 'Get a generation',
    description: 'Returns the generation with its ETag. A matching If-None-Match returns 304.',
  })
  @ApiOkResponse({ type: GenerationDto, description: 'The generation.' })
  get(@Param('id', ParseIdPipe) id: number): Promise<GenerationDto> {
    return this.generations.get(id);
  }

  @Get(':id/stream')
  @ServesEvents()
  @ApiOperation({
    operationId: 'streamGenerationEvents',
    summary: 'Stream a generation',
    description:
      'Continues after Last-Event-ID, on any process; no second call is made. The last event is `done` with the ' +
      'whole generation, or `end` when your session is over.',
  })
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'Id of the last event received.',
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
      "Aborts the provider's call. The text so far is kept and its cost is charged. A finished generation does not " +
      'change.',
  })
  @ApiNoContentResponse({ description: 'The generation is being cancelled, or had already finished.' })
  cancel(@Param('id', ParseIdPipe) id: number, @IfMatch() ifMatch?: Preconditions): Promise<void> {
    return this.generations.cancel(id, ifMatch);
  }
}

function isEventStreamRequested({ headers }: FastifyRequest): boolean {
  return (headers.accept ?? '').toLowerCase().includes(EVENT_STREAM);
}

/** Reads Last-Event-ID; a malformed one starts from the beginning. */
function readLastEventId({ headers }: FastifyRequest): number {
  const id = String(headers['last-event-id'] ?? '');
  return /^\d{1,9}$/.test(id) ? Number(id) : 0;
}

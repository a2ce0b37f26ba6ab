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
import { SignedIn } from '../platform/http/access';
import { IfMatch, type Preconditions } from '../platform/http/if-match';
import type { Page } from '../platform/http/page';
import { ApiPage } from '../platform/http/page-response';
import { ParseIdPipe } from '../platform/http/parse-id.pipe';
import { KeepsItsOwnKey } from '../platform/idempotency/idempotency.interceptor';
import { hashOf, idempotencyKeyOf } from '../platform/idempotency/idempotency-store';
import { Post } from '../platform/idempotency/post';
import { CreateGenerationDto } from './dto/create-generation.dto';
import { GenerationDto } from './dto/generation.dto';
import { ListGenerationsDto } from './dto/list-generations.dto';
import { GenerationStream } from './generation-stream.service';
import { Generations, type RequestKey } from './generations.service';

const STREAM = 'text/event-stream';

const EVENTS = 'Events `delta` ({text}), `done` (the generation) and `end` (the session is over).';

/** Texts written by AI vendors. */
@ApiTags('AI')
@SignedIn()
@Controller({ path: 'ai/generations', version: '1' })
export class GenerationsController {
  constructor(
    private readonly generations: Generations,
    private readonly stream: GenerationStream,
  ) {}

  @Post()
  @KeepsItsOwnKey('no transaction may be open while a vendor writes; the key is kept with the reservation')
  @ApiOperation({
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
  @ApiOkResponse({ description: EVENTS, content: { [STREAM]: { schema: { type: 'string' } } } })
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
    if (wantsStream(request)) await this.stream.takeLine(reply);
    const { id, isReplay } = await this.generations.begin(dto, keyOf(request));
    void reply.header('location', `/v1/ai/generations/${id}`);
    if (isReplay) void reply.header('idempotent-replayed', 'true');
    if (wantsStream(request)) {
      void reply.status(200);
      return toEvents(await this.stream.open(id, 0), reply);
    }
    if (!/(?:^|[,;\s])respond-async(?:$|[,;\s])/i.test(String(request.headers.prefer ?? '')))
      return this.generations.result(id);
    void reply.status(202).header('preference-applied', 'respond-async');
    return this.generations.get(id);
  }

  @Get()
  @ApiOperation({ summary: 'List your generations', description: 'Newest first, however they ended.' })
  @ApiPage(GenerationDto)
  list(@Query() query: ListGenerationsDto): Promise<Page<GenerationDto>> {
    return this.generations.list(query);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read a generation', description: 'With its ETag; If-None-Match answers 304.' })
  @ApiOkResponse({ type: GenerationDto, description: 'The generation.' })
  get(@Param('id', ParseIdPipe) id: number): Promise<GenerationDto> {
    return this.generations.get(id);
  }

  @Get(':id/stream')
  @ApiOperation({
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
  @ApiOkResponse({ description: EVENTS, content: { [STREAM]: { schema: { type: 'string' } } } })
  @ApiResponse({ status: 429, description: 'Too many of your event streams are open.' })
  async watch(
    @Param('id', ParseIdPipe) id: number,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    await this.stream.takeLine(reply);
    return toEvents(await this.stream.open(id, lastEventIdOf(request)), reply);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Cancel a generation',
    description:
      "Ends the vendor's call. What was written stays, what it cost is booked; one that is over stays as it is.",
  })
  @ApiNoContentResponse({ description: 'It ends.' })
  cancel(@Param('id', ParseIdPipe) id: number, @IfMatch() ifMatch?: Preconditions): Promise<void> {
    return this.generations.cancel(id, ifMatch);
  }
}

function keyOf(request: FastifyRequest): RequestKey | undefined {
  const key = idempotencyKeyOf(request.headers['idempotency-key']);
  return key === undefined ? undefined : { key, hash: hashOf(request.method, request.url, request.body) };
}

function wantsStream({ headers }: FastifyRequest): boolean {
  return (headers.accept ?? '').toLowerCase().includes(STREAM);
}

/** What is no id of ours has seen nothing. */
function lastEventIdOf({ headers }: FastifyRequest): number {
  const id = String(headers['last-event-id'] ?? '');
  return /^\d{1,9}$/.test(id) ? Number(id) : 0;
}

/** Proxies gather what they pass on unless they are told not to. */
function toEvents(events: AsyncGenerator<string>, reply: FastifyReply): StreamableFile {
  void reply.header('x-accel-buffering', 'no');
  return new StreamableFile(Readable.from(events, { objectMode: false }), { type: `${STREAM}; charset=utf-8` });
}

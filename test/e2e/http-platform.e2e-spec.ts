import { Body, Controller, Delete, Get, Header, HttpCode, Module, Param, Patch, Post, Query } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiProperty } from '@nestjs/swagger';
import { IsArray, IsInt, IsString, MaxLength } from 'class-validator';
import { EventEmitter, once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { ConfigModule } from '../../src/platform/config/config.module';
import { FailoverDetectorService } from '../../src/platform/database/failover-detector.service';
import { currentContext } from '../../src/platform/context/request-context';
import { ERROR_CODES } from '../../src/platform/errors/error-codes';
import { AdminOnly, Public, SignedIn } from '../../src/platform/http/access/access';
import { LargeBody } from '../../src/platform/http/edge/body-parsers';
import { DrainingService } from '../../src/platform/http/edge/draining.service';
import { Field, InstantField } from '../../src/platform/http/validation/fields';
import { BooleanParam, TextListParam } from '../../src/platform/http/validation/query-params';
import { createHttpApp } from '../../src/platform/http/http-app';
import { HttpModule } from '../../src/platform/http/http.module';
import {
  assertVersion,
  IfMatch,
  LocationAt,
  type Preconditions,
} from '../../src/platform/http/responses/preconditions';
import { KeysetPages } from '../../src/platform/http/pagination/keyset-page';
import { PageQueryDto } from '../../src/platform/http/pagination/page.dto';
import { ParseIdPipe } from '../../src/platform/http/validation/request-validation.pipe';
import { RedisModule } from '../../src/platform/redis/redis.module';
import { buildTestEnvironment } from '../support/test-config';
import { pause, waitFor } from '../support/wait-for';

class CreateNoteDto {
  @ApiProperty()
  @IsString()
  @MaxLength(10)
  title: string;

  @Field({ type: [String] }, { optional: true, description: 'Tags.' }, IsArray(), IsString({ each: true }))
  tags?: string[];

  @Field({ type: 'integer' }, { nullable: true, description: 'Rank.' }, IsInt())
  rank?: number | null;
}

class EmptyDto {}

class ListNotesDto extends PageQueryDto {
  @TextListParam({ max: 10, description: 'Tags.' })
  tags?: string[];

  @BooleanParam({ description: 'Favourites only.' })
  isFavorite?: boolean;

  @InstantField({ optional: true, description: 'Start of the range.' })
  createdFrom?: Date;
}

const NOTES = Array.from({ length: 5 }, (_, index) => ({ id: index + 1, version: 3 }));

/** The request to `notes/slow`: emits `begun`, and waits for `released`. */
const slowRequest = new EventEmitter();

@Controller('v1/notes')
@Public('a toy')
class NotesController {
  constructor(private readonly pages: KeysetPages) {}

  @Get()
  list(@Query() query: ListNotesDto) {
    const page = this.pages.open(query);
    const { tags, isFavorite, createdFrom } = query;
    const after = Number(page.after?.[0] ?? 0);
    const rows = NOTES.filter(({ id }) => id > after).slice(0, page.take);
    return {
      filters: { tags, isFavorite, createdFrom },
      ...page.of(
        rows,
        ({ id }) => [id],
        (note) => note,
      ),
    };
  }

  @Get(':id')
  get(@Param('id', ParseIdPipe) id: number) {
    return { id, version: 3 };
  }

  @Post()
  @Header('location', '/v1/notes/9')
  create(@Body() dto: CreateNoteDto) {
    return { ...dto, context: currentContext() };
  }

  @Patch(':id')
  update(
    @Param('id', ParseIdPipe) id: number,
    @Body() dto: CreateNoteDto,
    @IfMatch() expected: Preconditions | undefined,
  ) {
    assertVersion({ version: 3 }, expected);
    return { id, ...dto, version: 4 };
  }

  @Post(':id/read')
  @HttpCode(200)
  read(@Param('id', ParseIdPipe) id: number, @Body() body: EmptyDto) {
    return { ...body, id, version: 3 };
  }

  @Post('import')
  @HttpCode(200)
  @LargeBody('text/csv')
  async import(@Body() body: Readable) {
    return { length: (await text(body)).length };
  }

  @Delete('slow')
  @HttpCode(200)
  async slow() {
    slowRequest.emit('begun');
    await once(slowRequest, 'released');
    return { done: true };
  }

  @Post(':id/archive')
  @HttpCode(200)
  archive(@Param('id', ParseIdPipe) id: number) {
    return { id, version: 3 };
  }

  @Get('long/text')
  long() {
    return { text: 'word '.repeat(1_000) };
  }

  @Get('whole/list')
  whole() {
    return { items: [1, 2] };
  }

  @Post(':id/run')
  @HttpCode(202)
  @LocationAt('/v1/notes/:id/runs')
  run(@Param('id', ParseIdPipe) id: number) {
    return { id };
  }

  @Get('broken/now')
  broken() {
    throw new Error('canary: password=hunter2');
  }
}

@Controller('v1/auth')
@Public('a toy')
class SecretsController {
  @Get('secret')
  secret() {
    return { text: 'word '.repeat(1_000) };
  }
}

/** Applications without a database see no failover. */
const WITHOUT_FAILOVERS = { provide: FailoverDetectorService, useValue: { onPrimary: () => undefined } };

@Module({
  imports: [ConfigModule, RedisModule, HttpModule],
  controllers: [NotesController, SecretsController],
  providers: [WITHOUT_FAILOVERS],
})
class ToyModule {}

@Controller('v1/open')
class ForgottenController {
  @Get('door')
  door() {
    return {};
  }

  @Get('lock')
  @SignedIn()
  lock() {
    return {};
  }

  @Get('safe')
  @AdminOnly()
  safe() {
    return {};
  }
}

@Module({
  imports: [ConfigModule, RedisModule, HttpModule],
  controllers: [ForgottenController],
  providers: [WITHOUT_FAILOVERS],
})
class ForgetfulModule {}

function setEnvironment(): void {
  Object.assign(
    process.env,
    buildTestEnvironment({
      BODY_LIMIT_BYTES: '2048',
      IMPORT_LIMIT_BYTES: '4096',
      CORS_ORIGINS: 'https://app.example',
      TRUSTED_PROXIES: '127.0.0.1',
    }),
  );
}

describe('the HTTP platform', () => {
  let app: NestFastifyApplication;

  beforeAll(async () => {
    setEnvironment();
    app = await createHttpApp(ToyModule);
    await app.init();
    await app.listen(0, '127.0.0.1');
  });

  afterAll(() => app.close());

  function send(
    method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE' | 'OPTIONS' | 'HEAD',
    url: string,
    options: { payload?: string | Buffer; headers?: Record<string, string> } = {},
  ) {
    const headers = options.payload === undefined ? {} : { 'content-type': 'application/json' };
    return app.inject({ method, url, payload: options.payload, headers: { ...headers, ...options.headers } });
  }

  function post(body: unknown, headers: Record<string, string> = {}) {
    return send('POST', '/v1/notes', { payload: typeof body === 'string' ? body : JSON.stringify(body), headers });
  }

  it('handles a request in its context', async () => {
    const response = await post(
      { title: 'x', rank: null },
      { 'x-forwarded-for': '::ffff:203.0.113.9', 'user-agent': 'u'.repeat(600) },
    );

    expect(response.statusCode).toBe(201);
    expect(response.headers.location).toBe('/v1/notes/9');
    expect(response.headers['cache-control']).toBe('no-store');
    expect(response.json()).toEqual({
      title: 'x',
      rank: null,
      context: {
        requestId: response.headers['x-request-id'],
        ip: '203.0.113.9',
        userAgent: 'u'.repeat(512),
        operation: 'POST /v1/notes',
      },
    });
  });

  it('keeps the context when the body arrives in chunks', async () => {
    const { port } = app.getHttpServer().address() as AddressInfo;

    const body = await new Promise<string>((resolve, reject) => {
      const call = httpRequest(
        {
          port,
          host: '127.0.0.1',
          method: 'POST',
          path: '/v1/notes',
          headers: { 'content-type': 'application/json', 'x-request-id': 'in-pieces-1' },
        },
        (response) => {
          text(response).then(resolve, reject);
        },
      );
      call.write('{"title":');
      void pause(30, 'the server reports no first piece of a body').then(() => call.end('"x"}'));
    });

    expect(JSON.parse(body)).toMatchObject({ context: { requestId: 'in-pieces-1' } });
  });

  it.each([
    ['echoes a fit one', 'abc-DEF_1.2', true],
    ['replaces a short one', 'abc', false],
    ['replaces one with a space', 'abcdefgh i', false],
    ['replaces a long one', 'a'.repeat(129), false],
  ])('accepts request ids: %s', async (_, id, kept) => {
    const response = await send('GET', '/v1/notes/1', { headers: { 'x-request-id': id } });

    expect(response.headers['x-request-id'] === id).toBe(kept);
    expect(response.headers['x-request-id']).toMatch(/^[A-Za-z0-9._-]{8,128}$/);
  });

  describe('rejects with a problem', () => {
    const NUL = '\\u0000';
    it.each<[string, Parameters<typeof send>, number, string, string?]>([
      ['a wrong type', ['POST', '/v1/notes', { payload: '{"title":5}' }], 400, 'validation.failed', '/title'],
      [
        'a list item',
        ['POST', '/v1/notes', { payload: '{"title":"x","tags":["a",1]}' }],
        400,
        'validation.failed',
        '/tags/1',
      ],
      [
        'a null that may not be',
        ['POST', '/v1/notes', { payload: '{"title":"x","tags":null}' }],
        400,
        'validation.failed',
        '/tags',
      ],
      [
        'an unknown field',
        ['POST', '/v1/notes', { payload: '{"title":"x","user_id":1}' }],
        400,
        'validation.failed',
        '/user_id',
      ],
      [
        'a field every object has',
        ['POST', '/v1/notes', { payload: '{"title":"x","toString":1}' }],
        400,
        'validation.failed',
        '/toString',
      ],
      [
        '__proto__',
        ['POST', '/v1/notes', { payload: '{"title":"x","__proto__":{}}' }],
        400,
        'validation.failed',
        '/__proto__',
      ],
      ['NUL', ['POST', '/v1/notes', { payload: `{"title":"${NUL}"}` }], 400, 'validation.failed', '/title'],
      [
        'a lone surrogate',
        ['POST', '/v1/notes', { payload: '{"title":"\\ud800"}' }],
        400,
        'validation.failed',
        '/title',
      ],
      ['1e400', ['POST', '/v1/notes', { payload: '{"title":"x","rank":1e400}' }], 400, 'validation.failed', '/rank'],
      [
        'a number that is not exact',
        ['POST', '/v1/notes', { payload: '{"title":"x","rank":9007199254740993}' }],
        400,
        'validation.failed',
        '/rank',
      ],
      ['NaN', ['POST', '/v1/notes', { payload: '{"title":"x","rank":NaN}' }], 400, 'request.malformed_json'],
      [
        'a duplicate key',
        ['POST', '/v1/notes', { payload: '{"title":"x","title":"y"}' }],
        400,
        'validation.failed',
        '/title',
      ],
      [
        'deep JSON',
        ['POST', '/v1/notes', { payload: '{"a":'.repeat(40) + '1' + '}'.repeat(40) }],
        400,
        'validation.failed',
        '/a'.repeat(32),
      ],
      ['broken JSON', ['POST', '/v1/notes', { payload: '{"title":' }], 400, 'request.malformed_json'],
      [
        'bytes that are not UTF-8',
        ['POST', '/v1/notes', { payload: Buffer.from([0x7b, 0xff, 0x7d]) }],
        400,
        'request.malformed_json',
      ],
      ['a list for an object', ['POST', '/v1/notes', { payload: '[]' }], 400, 'validation.failed', ''],
      ['null for an object', ['POST', '/v1/notes', { payload: 'null' }], 400, 'validation.failed', ''],
      ['no body where one is needed', ['POST', '/v1/notes'], 400, 'validation.failed', '/title'],
      [
        'a field in an empty body',
        ['POST', '/v1/notes/1/read', { payload: '{"a":1}' }],
        400,
        'validation.failed',
        '/a',
      ],
      [
        'a field for a route without a body',
        ['POST', '/v1/notes/1/archive', { payload: '{"a":1}' }],
        400,
        'validation.failed',
        '/a',
      ],
      [
        'a list for a route without a body',
        ['POST', '/v1/notes/1/archive', { payload: '[1]' }],
        400,
        'validation.failed',
        '',
      ],
      [
        'a large body',
        ['POST', '/v1/notes', { payload: JSON.stringify({ title: 'x'.repeat(3000) }) }],
        413,
        'request.body_too_large',
      ],
      [
        'a form',
        ['POST', '/v1/notes', { payload: 'title=x', headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
        415,
        'request.media_type_unsupported',
      ],
      [
        'plain text',
        ['POST', '/v1/notes', { payload: 'x', headers: { 'content-type': 'text/plain' } }],
        415,
        'request.media_type_unsupported',
      ],
      [
        'UTF-16',
        ['POST', '/v1/notes', { payload: '{}', headers: { 'content-type': 'application/json; charset=utf-16' } }],
        415,
        'request.media_type_unsupported',
      ],
      [
        'a compressed body',
        ['POST', '/v1/notes', { payload: '{}', headers: { 'content-encoding': 'gzip' } }],
        415,
        'request.media_type_unsupported',
      ],
      [
        'CSV where none is taken',
        ['POST', '/v1/notes', { payload: 'a,b', headers: { 'content-type': 'text/csv' } }],
        415,
        'request.media_type_unsupported',
      ],
      ['an unknown path', ['GET', '/v1/nothing'], 404, 'route.not_found'],
      ['an unknown method', ['PUT', '/v1/notes/1'], 405, 'route.method_not_allowed'],
      ['an id that is a word', ['GET', '/v1/notes/one'], 400, 'validation.failed', '/id'],
      ['an id of zero', ['GET', '/v1/notes/0'], 400, 'validation.failed', '/id'],
      ['an id beyond exact numbers', ['GET', '/v1/notes/9007199254740993'], 400, 'validation.failed', '/id'],
      ['NUL in a path', ['GET', '/v1/notes/%00'], 400, 'validation.failed', '/id'],
      ['a malformed path', ['GET', '/v1/notes/%zz'], 400, 'request.malformed_url'],
      ['a malformed query', ['GET', '/v1/notes?tags=%zz'], 400, 'request.malformed_url'],
      ['half a surrogate pair in a query', ['GET', '/v1/notes?tags=%ED%A0%80'], 400, 'request.malformed_url'],
      ['NUL in a query', ['GET', '/v1/notes?tags=%00'], 400, 'validation.failed', '/tags'],
      ['a long parameter', ['GET', `/v1/notes/${'1'.repeat(200)}`], 414, 'request.url_too_long'],
      ['limit=0', ['GET', '/v1/notes?limit=0'], 400, 'validation.failed', '/limit'],
      ['limit=-1', ['GET', '/v1/notes?limit=-1'], 400, 'validation.failed', '/limit'],
      ['limit=1e1', ['GET', '/v1/notes?limit=1e1'], 400, 'validation.failed', '/limit'],
      ['limit twice', ['GET', '/v1/notes?limit=1&limit=2'], 400, 'validation.failed', '/limit'],
      ['an empty limit', ['GET', '/v1/notes?limit='], 400, 'validation.failed', '/limit'],
      ['a boolean that is none', ['GET', '/v1/notes?isFavorite=yes'], 400, 'validation.failed', '/isFavorite'],
      [
        'a day that does not exist',
        ['GET', '/v1/notes?createdFrom=2026-02-30T00:00:00Z'],
        400,
        'validation.failed',
        '/createdFrom',
      ],
      [
        'a time without a zone',
        ['GET', '/v1/notes?createdFrom=2026-02-03T00:00:00'],
        400,
        'validation.failed',
        '/createdFrom',
      ],
      ['an unknown parameter', ['GET', '/v1/notes?user_id=1'], 400, 'validation.failed', '/user_id'],
      ['__proto__ as a parameter', ['GET', '/v1/notes?__proto__=1'], 400, 'validation.failed', '/__proto__'],
      ['a made-up cursor', ['GET', '/v1/notes?cursor=AAAA'], 400, 'cursor.invalid', '/cursor'],
      [
        'a stale version',
        ['PATCH', '/v1/notes/1', { payload: '{"title":"x"}', headers: { 'if-match': '"2"' } }],
        412,
        'precondition.failed',
      ],
      [
        'a version that the change must not meet',
        ['PATCH', '/v1/notes/1', { payload: '{"title":"x"}', headers: { 'if-none-match': '*' } }],
        412,
        'precondition.failed',
      ],
      [
        'a read of another version',
        ['GET', '/v1/notes/1', { headers: { 'if-match': '"2"' } }],
        412,
        'precondition.failed',
      ],
      [
        'a malformed If-Match',
        ['PATCH', '/v1/notes/1', { payload: '{"title":"x"}', headers: { 'if-match': '3' } }],
        412,
        'precondition.failed',
      ],
      ['a programming error', ['GET', '/v1/notes/broken/now'], 500, 'internal'],
    ])('%s', async (_, ...[args, status, code, pointer]) => {
      const response = await send(...args);

      const problem = response.json<Record<string, unknown>>();
      expect([response.statusCode, problem.code]).toEqual([status, code]);
      expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
      expect(problem).toMatchObject({
        type: `/docs/errors#${code}`,
        status,
        requestId: response.headers['x-request-id'],
        ...(pointer === undefined ? {} : { errors: expect.arrayContaining([expect.objectContaining({ pointer })]) }),
      });
      expect(response.body).not.toContain('hunter2');
      expect(response.headers['cache-control']).toBe('no-store');
      expect(response.headers['x-content-type-options']).toBe('nosniff');
    });

    it.each([
      ['PROPFIND', '/v1/notes', 405],
      ['TRACE', '/v1/notes/1', 405],
      ['LOCK', '/v1/nothing', 404],
      ['SOURCE', '/v1/notes', 405],
      ['GET', '/v1/notes/', 404],
      ['GET', '//v1/notes', 404],
      ['GET', '/v1/notes/1;x=1', 400],
      ['GET', '/V1/notes', 404],
    ])('%s %s', async (method, path, status) => {
      const { port } = app.getHttpServer().address() as AddressInfo;

      const [answered, type] = await new Promise<[number | undefined, string | undefined]>((resolve, reject) => {
        const call = httpRequest({ port, host: '127.0.0.1', method, path, agent: false }, (response) => {
          response.resume();
          resolve([response.statusCode, response.headers['content-type']]);
        });
        call.on('error', reject).end();
      });

      expect([answered, type]).toEqual([status, 'application/problem+json; charset=utf-8']);
    });

    it('bytes that are not HTTP', async () => {
      const { port } = app.getHttpServer().address() as AddressInfo;
      const socket = connect(port, '127.0.0.1');

      socket.write('NONSENSE\r\n\r\n');
      const answer = await text(socket);

      expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\ncontent-type: application\/problem\+json/);
    });
  });

  it('names the known parameters when one is unknown', async () => {
    const response = await send('GET', '/v1/notes?limt=1');

    expect(response.json<{ detail: string }>().detail).toBe(
      'Unknown parameter "limt". Did you mean "limit"? Known parameters: createdFrom, cursor, isFavorite, limit, tags.',
    );
  });

  it('reads repeated, comma-separated and empty lists', async () => {
    const filters = async (query: string) =>
      (await send('GET', `/v1/notes?${query}`)).json<{ filters: unknown }>().filters;

    expect(await filters('tags=a&tags=b')).toEqual({ tags: ['a', 'b'] });
    expect(await filters('tags=a,b%2Cc')).toEqual({ tags: ['a', 'b', 'c'] });
    expect(await filters('isFavorite=false')).toEqual({ isFavorite: false });
  });

  it('pages to the end, with the same filters only', async () => {
    const first = (await send('GET', '/v1/notes?limit=3')).json<{ items: unknown[]; nextCursor: string }>();
    const second = await send('GET', `/v1/notes?limit=4&cursor=${first.nextCursor}`);
    const foreign = await send('GET', `/v1/notes?tags=a&cursor=${first.nextCursor}`);
    const altered = await send('GET', `/v1/notes?cursor=${first.nextCursor.slice(0, -2)}AA`);

    expect(first.items).toHaveLength(3);
    expect(second.json()).toMatchObject({ items: [{ id: 4 }, { id: 5 }], nextCursor: null });
    expect([foreign.statusCode, altered.statusCode]).toEqual([400, 400]);
  });

  it('sends an ETag for single resources and 304 for a known version', async () => {
    const known = await send('GET', '/v1/notes/1', { headers: { 'if-none-match': 'W/"3", "9"' } });
    const changed = await send('GET', '/v1/notes/1', { headers: { 'if-none-match': '"2"' } });
    const patched = await send('PATCH', '/v1/notes/1', {
      payload: '{"title":"x"}',
      headers: { 'if-match': '"3"', 'content-type': 'application/merge-patch+json' },
    });

    expect([known.statusCode, known.body, known.headers.etag]).toEqual([304, '', '"3"']);
    expect([changed.statusCode, changed.headers.etag]).toEqual([200, '"3"']);
    expect([patched.statusCode, patched.headers.etag]).toEqual([200, '"4"']);
  });

  it('accepts an action with {} or without a body', async () => {
    expect((await send('POST', '/v1/notes/1/read', { payload: '{}' })).statusCode).toBe(200);
    expect((await send('POST', '/v1/notes/1/read')).statusCode).toBe(200);
    expect((await send('POST', '/v1/notes/1/archive')).statusCode).toBe(200);
    expect((await send('POST', '/v1/notes/1/archive', { payload: '{}' })).statusCode).toBe(200);
    expect(
      (await send('POST', '/v1/notes/1/read', { payload: '', headers: { 'content-length': '0' } })).statusCode,
    ).toBe(200);
  });

  it('streams the body of a @LargeBody route up to its limit', async () => {
    const csv = (length: number) =>
      send('POST', '/v1/notes/import', {
        payload: 'x'.repeat(length),
        headers: { 'content-type': 'text/csv; charset=utf-8' },
      });

    expect((await csv(4096)).json()).toEqual({ length: 4096 });
    expect((await csv(4097)).statusCode).toBe(413);
    expect((await send('POST', '/v1/notes/import', { payload: '{}' })).statusCode).toBe(415);
  });

  it('lists the methods of a path', async () => {
    const options = await send('OPTIONS', '/v1/notes/1');
    const wrong = await send('PUT', '/v1/notes');

    expect([options.statusCode, options.headers.allow]).toEqual([204, 'GET, HEAD, OPTIONS, PATCH']);
    expect(wrong.headers.allow).toBe('GET, HEAD, OPTIONS, POST');
    expect((await send('HEAD', '/v1/notes/1')).statusCode).toBe(200);
  });

  it('allows browsers of the listed origins only', async () => {
    const preflight = await send('OPTIONS', '/v1/notes', {
      headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
    });
    const stranger = await send('GET', '/v1/notes', { headers: { origin: 'https://evil.example' } });

    expect(preflight.statusCode).toBe(204);
    expect(preflight.headers['access-control-allow-origin']).toBe('https://app.example');
    expect(preflight.headers['access-control-allow-headers']).toContain('Idempotency-Key');
    expect(stranger.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('compresses long responses by Accept-Encoding, except those with secrets', async () => {
    const encodingOf = async (url: string, accepted: string) =>
      (await send('GET', url, { headers: { 'accept-encoding': accepted } })).headers['content-encoding'];
    const plain = await send('GET', '/v1/notes/long/text');
    const zipped = await send('GET', '/v1/notes/long/text', { headers: { 'accept-encoding': 'gzip' } });

    expect(gunzipSync(zipped.rawPayload).toString()).toBe(plain.body);
    expect(zipped.rawPayload.length).toBeLessThan(plain.rawPayload.length / 10);
    expect([plain.headers['content-encoding'], zipped.headers['content-encoding']]).toEqual([undefined, 'gzip']);
    expect(zipped.headers.vary).toContain('accept-encoding');
    expect(await encodingOf('/v1/notes/long/text', 'gzip, deflate, br')).toBe('br');
    expect(await encodingOf('/docs-json', 'br')).toBe('br');
    expect(await encodingOf('/v1/notes/1', 'br')).toBeUndefined();
    expect(await encodingOf('/v1/auth/secret', 'br')).toBeUndefined();
    expect((await post('{"title":"x"}', { 'content-encoding': 'gzip' })).statusCode).toBe(415);
  });

  it('lets browsers cache a resource with an id and an ETag', async () => {
    const job = await send('GET', '/v1/notes/1');
    const again = await send('GET', '/v1/notes/1', { headers: { 'if-none-match': '"3"' } });
    const list = await send('GET', '/v1/notes');

    expect([job.headers['cache-control'], again.statusCode, again.headers['cache-control']]).toEqual([
      'private, no-cache',
      304,
      'private, no-cache',
    ]);
    expect(list.headers['cache-control']).toBe('no-store');
  });

  it('sends nextCursor with every list and Location with accepted work', async () => {
    expect((await send('GET', '/v1/notes/whole/list')).json()).toEqual({ items: [1, 2], nextCursor: null });
    expect((await send('POST', '/v1/notes/7/run')).headers.location).toBe('/v1/notes/7/runs');
  });

  it('rejects another Accept type and an unread query parameter', async () => {
    const xml = await send('GET', '/v1/notes/1', { headers: { accept: 'application/xml' } });
    const html = await send('GET', '/v1/notes/1', { headers: { accept: 'text/html,application/xml;q=0.9,*/*;q=0.8' } });
    const unread = await send('GET', '/v1/notes/1?fields=id');

    expect([xml.statusCode, xml.json<{ code: string }>().code, html.statusCode]).toEqual([
      406,
      'request.not_acceptable',
      200,
    ]);
    expect([unread.statusCode, unread.json<{ errors: object[] }>().errors]).toEqual([
      400,
      [expect.objectContaining({ pointer: '/fields', code: 'unknown_field' })],
    ]);
    expect((await send('GET', '/verify-email?token=x')).statusCode).toBe(404);
  });

  it('serves a start page, as HTML for browsers', async () => {
    for (const path of ['/', '/v1']) {
      const page = await send('GET', path, { headers: { accept: 'text/html,*/*;q=0.8' } });
      const { links } = (await send('GET', path)).json<{ links: Record<string, string> }>();

      expect([page.statusCode, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
      for (const link of ['/docs', '/docs-json', '/docs/errors', '/admin', '/health/ready']) {
        expect(page.body).toContain(`href="${link}"`);
        expect(Object.values(links)).toContain(link);
      }
    }
    expect((await send('GET', '/docs-json')).statusCode).toBe(200);
  });

  it('lets browsers load nothing for responses that are not pages', async () => {
    const policyOf = async (url: string) => (await send('GET', url)).headers['content-security-policy'];

    expect(await policyOf('/v1/notes/1')).toBe("default-src 'none';frame-ancestors 'none'");
    expect(await policyOf('/nowhere')).toBe("default-src 'none';frame-ancestors 'none'");
    expect(await policyOf('/docs')).toContain("style-src 'self' 'unsafe-inline'");
  });

  it('serves its documentation without other origins', async () => {
    const ui = await send('GET', '/docs');
    const errors = await send('GET', '/docs/errors');
    const document = (await send('GET', '/docs-json')).json<{
      openapi: string;
      paths: Record<string, Record<string, { responses: object }>>;
    }>();

    expect([ui.statusCode, errors.statusCode]).toEqual([200, 200]);
    expect(Object.keys(ERROR_CODES).filter((code) => !errors.body.includes(`<tr id="${code}">`))).toEqual([]);
    expect(ui.headers['content-security-policy']).toContain("default-src 'none'");
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths['/v1/notes/{id}']?.patch?.responses ?? {})).toEqual(
      expect.arrayContaining(['200', '400', '404', '412', '415', '429']),
    );
  });

  it('finishes accepted requests before it stops', async () => {
    const leaving = await createHttpApp(ToyModule);
    await leaving.listen(0, '127.0.0.1');
    const { port } = leaving.getHttpServer().address() as AddressInfo;

    const begun = once(slowRequest, 'begun');
    const slow = fetch(`http://127.0.0.1:${port}/v1/notes/slow`, { method: 'DELETE' });
    await begun;
    const closed = leaving.close();
    await waitFor('it drains', () => leaving.get(DrainingService, { strict: false }).isDraining);
    slowRequest.emit('released');
    const response = await slow;
    await closed;

    expect([response.status, response.headers.get('connection')]).toEqual([200, 'close']);
    await expect(fetch(`http://127.0.0.1:${port}/v1/notes`)).rejects.toThrow();
  });

  it('does not start with an unmarked route, and names it', async () => {
    await expect(createHttpApp(ForgetfulModule)).rejects.toThrow('ForgottenController.door (GET /v1/open/door)');
    await expect(createHttpApp(ForgetfulModule)).rejects.not.toThrow('ForgottenController.lock');
  });
});

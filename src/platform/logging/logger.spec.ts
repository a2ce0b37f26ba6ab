import { fastify } from 'fastify';
import { NestLogger } from './nest-logger';
import { createLogger, parameterNames, escapeControlCharacters, registerRequestLog } from './logger';
import { Sensitive } from './sensitive-fields';

function record(): { lines: string[]; write(line: string): void } {
  const lines: string[] = [];
  return { lines, write: (line) => void lines.push(line) };
}

describe(createLogger.name, () => {
  it('redacts secrets at the top and below', () => {
    // A name that a real DTO marks: the names stay for later tests of this process.
    class AnswerDto {
      @Sensitive()
      readonly otpauthUrl: string;
    }
    const answer: AnswerDto = { otpauthUrl: 'canary' };
    const sink = record();
    const logger = createLogger('info', sink);
    const secrets = { ...answer, password: 'canary', 'set-cookie': 'canary' };

    logger.info(secrets, 'top');
    logger.info({ body: secrets, request: { headers: { authorization: 'canary', cookie: 'canary' } } }, 'below');

    expect(sink.lines).toHaveLength(2);
    expect(sink.lines.join()).not.toContain('canary');
    expect(JSON.parse(sink.lines[0] ?? '{}')).toMatchObject({ level: 'info', password: '[redacted]' });
  });

  it('writes one line for a text with line breaks', () => {
    const sink = record();

    new NestLogger(createLogger('info', sink)).warn('a\r\n{"level":"error"}\u001b[2J', 'Source');

    expect(sink.lines).toHaveLength(1);
    expect(JSON.parse(sink.lines[0] ?? '{}')).toMatchObject({
      source: 'Source',
      msg: 'a\\u000d\\u000a{"level":"error"}\\u001b[2J',
    });
  });
});

describe(registerRequestLog.name, () => {
  it('logs the route pattern and the names of parameters, but no text of the caller', async () => {
    const sink = record();
    const server = fastify();
    registerRequestLog(server, createLogger('info', sink));
    server.get<{ Querystring: Record<string, string> }>('/v1/things/:id', ({ query }, reply) =>
      reply.status('fails' in query ? 400 : 200).send({}),
    );

    await server.inject('/v1/things/canary?q=canary&%74oken=canary');
    await server.inject('/canary?canary=');
    await server.inject('/v1/things/1?fails=&canary=');
    await server.close();

    expect(sink.lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { route: '/v1/things/:id', parameters: ['q', '?'], status: 200 },
      { route: null, parameters: [], status: 404 },
      { route: '/v1/things/:id', parameters: [], status: 400 },
    ]);
    expect(sink.lines.join('\n')).not.toContain('canary');
  });
});

describe(parameterNames.name, () => {
  it.each([
    ['/v1/x?token=canary&q=canary&q=canary&code=canary', ['token', 'q', 'code']],
    ['/v1/x?%74oken=canary&email=canary%40example.com', ['?', 'email']],
    ['/v1/x?canary', []],
    ['/v1/x?canary@example.com=1', ['?']],
    ['/v1/canary', []],
  ])('returns the names of %s and no value', (url, names) => {
    expect(parameterNames(url)).toEqual(names);
  });
});

describe(escapeControlCharacters.name, () => {
  it('escapes control characters and line ends', () => {
    expect(escapeControlCharacters('a\u0000b\u009bc\u2028d é')).toBe('a\\u0000b\\u009bc\\u2028d é');
  });
});

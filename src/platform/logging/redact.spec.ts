import { NestLogger } from './nest-logger';
import { createLogger } from './logger';
import { loggableUrl, printable } from './redact';

function record(): { lines: string[]; write(line: string): void } {
  const lines: string[] = [];
  return { lines, write: (line) => void lines.push(line) };
}

describe('createLogger', () => {
  it('never writes a secret, at the top or below', () => {
    const sink = record();
    const logger = createLogger('info', sink);
    const secrets = { password: 'canary', accessToken: 'canary', 'set-cookie': 'canary', coverLetter: 'canary' };

    logger.info(secrets, 'top');
    logger.info({ body: secrets, request: { headers: { authorization: 'canary', cookie: 'canary' } } }, 'below');

    expect(sink.lines).toHaveLength(2);
    expect(sink.lines.join()).not.toContain('canary');
    expect(JSON.parse(sink.lines[0] ?? '{}')).toMatchObject({ level: 'info', password: '[redacted]' });
  });

  it('writes one line whatever the text holds', () => {
    const sink = record();

    new NestLogger(createLogger('info', sink)).warn('a\r\n{"level":"error"}\u001b[2J', 'Source');

    expect(sink.lines).toHaveLength(1);
    expect(JSON.parse(sink.lines[0] ?? '{}')).toMatchObject({ source: 'Source', msg: 'a\\u000d\\u000a{"level":"error"}\\u001b[2J' });
  });
});

describe('loggableUrl', () => {
  it('hides the secrets of links', () => {
    expect(loggableUrl('/v1/x?token=canary&q=a&code=canary')).toBe('/v1/x?token=[redacted]&q=a&code=[redacted]');
  });
});

describe('printable', () => {
  it('escapes what moves a cursor or ends a line', () => {
    expect(printable('a\u0000b\u009bc\u2028d é')).toBe('a\\u0000b\\u009bc\\u2028d é');
  });
});

import { type Logger, pino, stdTimeFunctions } from 'pino';
import type { Config } from '../config/config';
import { ConfigError } from '../config/load-config';
import type { FastifyInstance } from 'fastify';

/** Where a secret may stand in something logged, at the top and one level below. */
const SECRET_NAMES = [
  'authorization',
  'cookie',
  'set-cookie',
  'proxy-authorization',
  'password',
  'currentPassword',
  'newPassword',
  'token',
  'accessToken',
  'refreshToken',
  'mfaToken',
  'code',
  'backupCode',
  'backupCodes',
  'secret',
  'otpauthUrl',
  'coverLetter',
  'content',
  'prompt',
  'instructions',
];

/** What stands in a secret's place. */
export const CENSOR = '[redacted]';

/** pino's redaction paths for `SECRET_NAMES`; bodies and headers are not logged in the first place, this is the net below. */
export const REDACTED_PATHS: string[] = SECRET_NAMES.flatMap((name) => {
  const step = `["${name}"]`;
  return [step.slice(1, -1).includes('-') ? step : name, `*${step}`, `*.*${step}`];
});

/** What a name of a parameter looks like; a value without a name, or an encoded name, is something else. */
const PARAMETER_NAME = /^[a-z]\w{0,39}$/i;
/** Most parameters whose names are logged: more than any route has. */
const MAX_NAMES = 40;

/**
 * Returns the names of a URL's query parameters, each once. Their values are what people search for, addresses, and
 * secrets of links: none is logged.
 */
export function parameterNames(url: string): string[] {
  const start = url.indexOf('?');
  if (start === -1) return [];
  const pairs = url
    .slice(start + 1)
    .split('&', MAX_NAMES)
    .filter((pair) => pair.includes('='));
  const names = pairs.map((pair) => pair.slice(0, pair.indexOf('=')));
  return [...new Set(names.map((name) => (PARAMETER_NAME.test(name) ? name : '?')))];
}

/** Returns the text with its control characters escaped, so that no sender writes log lines or moves a terminal's cursor. */
export function escapeControlCharacters(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** Makes the process's logger: JSON lines on standard output, times in UTC, secrets redacted. */
export function createLogger(level: Config['log']['level'], destination?: { write(line: string): void }): Logger {
  const options = {
    level,
    timestamp: stdTimeFunctions.isoTime,
    redact: { paths: REDACTED_PATHS, censor: CENSOR },
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return destination ? pino(options, destination) : pino(options);
}

/** Ends the process with code 1 and the reason on standard error: settings that do not fit are told without a stack. */
export function reportFatal(error: unknown): void {
  const reason =
    error instanceof ConfigError
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error);
  process.stderr.write(`${reason}\n`, () => process.exit(1));
}

/** Writes one line per request when its answer is sent: never a body, a header, a path or a value of a query. */
export function registerRequestLog(fastify: FastifyInstance, logger: Logger): void {
  fastify.addHook('onResponse', (request, reply, done) => {
    const level = reply.statusCode >= 500 ? 'warn' : 'info';
    if (!logger.isLevelEnabled(level)) return done();
    logger[level](
      {
        requestId: request.id,
        method: request.method,
        route: request.routeOptions.url ?? null,
        parameters: parameterNames(request.url),
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
        ip: request.ip,
      },
      'request',
    );
    done();
  });
}

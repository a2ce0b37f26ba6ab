import { type Logger, pino, stdTimeFunctions } from 'pino';
import type { Config } from '../config/config';
import { ConfigError } from '../config/load-config';
import type { FastifyInstance } from 'fastify';
import { listRedactedPaths } from './sensitive-fields';

/** The replacement of a secret. */
const CENSOR = '[redacted]';

/** A plain name of a parameter, not encoded. */
const PARAMETER_NAME = /^[a-z]\w{0,39}$/i;
/** Most names that are logged; no route has more parameters. */
const MAX_NAMES = 40;

/**
 * Returns the names of the query parameters, each once. Values are never logged: they may be search texts, addresses or
 * secrets of links.
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

/** Escapes control characters, so that a text cannot forge log lines or control a terminal. */
export function escapeControlCharacters(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** Creates the logger of the process: JSON lines on standard output, times in UTC, secrets redacted. */
export function createLogger(level: Config['log']['level'], destination?: { write(line: string): void }): Logger {
  const options = {
    level,
    timestamp: stdTimeFunctions.isoTime,
    redact: { paths: listRedactedPaths(), censor: CENSOR },
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return destination ? pino(options, destination) : pino(options);
}

/** Exits with code 1 and prints the reason to standard error; for invalid settings without a stack trace. */
export function reportFatal(error: unknown): void {
  const reason =
    error instanceof ConfigError
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error);
  process.stderr.write(`${reason}\n`, () => process.exit(1));
}

/**
 * Logs one line per request after its response: never a body, a header, a path or a value of the query. The names of
 * parameters are logged only when the route has accepted them: it rejects unknown names, which may be texts too.
 */
export function registerRequestLog(fastify: FastifyInstance, logger: Logger): void {
  fastify.addHook('onResponse', (request, reply, done) => {
    const level = reply.statusCode >= 500 ? 'warn' : 'info';
    if (!logger.isLevelEnabled(level)) return done();
    logger[level](
      {
        requestId: request.id,
        method: request.method,
        route: request.routeOptions.url ?? null,
        parameters: reply.statusCode < 400 ? parameterNames(request.url) : [],
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
        ip: request.ip,
      },
      'request',
    );
    done();
  });
}

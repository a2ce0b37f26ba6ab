import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'pino';
import { currentContext } from '../context/request-context';
import { escapeControlCharacters } from './logger';

/** Sources of Nest's start messages, one line per module and route. They are logged at level debug. */
const STARTUP_SOURCES = new Set<unknown>(['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer']);

/** Passes the logs of Nest and of the services to the logger of the process, with the id of the current request. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...details: unknown[]): void {
    this.write(STARTUP_SOURCES.has(details.at(-1)) ? 'debug' : 'info', message, details);
  }

  error(message: unknown, ...details: unknown[]): void {
    this.write('error', message, details);
  }

  warn(message: unknown, ...details: unknown[]): void {
    this.write('warn', message, details);
  }

  debug(message: unknown, ...details: unknown[]): void {
    this.write('debug', message, details);
  }

  verbose(message: unknown, ...details: unknown[]): void {
    this.write('trace', message, details);
  }

  fatal(message: unknown, ...details: unknown[]): void {
    this.write('fatal', message, details);
  }

  /** Writes a message. Nest passes the source as the last detail, and a stack trace before it. */
  private write(
    level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal',
    message: unknown,
    details: unknown[],
  ): void {
    const source = details.at(-1);
    const stack = details.length > 1 ? details[0] : undefined;
    const context = currentContext();
    this.logger[level](
      {
        ...(typeof source === 'string' ? { source } : {}),
        ...(typeof stack === 'string' ? { stack } : {}),
        ...(context ? { requestId: context.requestId, operation: context.operation } : {}),
      },
      message instanceof Error ? (message.stack ?? message.message) : escapeControlCharacters(toText(message)),
    );
  }
}

function toText(message: unknown): string {
  return typeof message === 'string' ? message : (JSON.stringify(message) ?? String(message));
}

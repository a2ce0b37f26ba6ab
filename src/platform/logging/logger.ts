import { pino, stdTimeFunctions, type Logger } from 'pino';
import type { Config } from '../config/config';
import { CENSOR, REDACTED_PATHS } from './redact';

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

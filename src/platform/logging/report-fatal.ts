import { ConfigError } from '../config/load-config';

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

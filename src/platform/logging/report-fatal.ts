import { ConfigError } from '../config/config-error';

/** Tells on standard error why the process cannot go on, and ends it with code 1. */
export function reportFatal(error: unknown): never {
  // A wrong setting is the operator's to mend: where in our code it was noticed does not help him.
  const words = error instanceof ConfigError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`${words}\n`);
  process.exit(1);
}

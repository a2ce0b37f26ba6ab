import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { findDataFolder, findProjectRoot, OperatorError } from '../local-services/data-folder';
import { explainFileError } from '../local-services/storage-problems';
import { ConfigError, removeClientVariables } from '../platform/config/load-config';

/** Adds the settings of the checkout's `.env` to the environment, as `npm start` does; variables that are set stay. */
export function loadEnvironmentFile(): void {
  const envFile = join(findProjectRoot(), '.env');
  if (existsSync(envFile)) process.loadEnvFile(envFile);
  removeClientVariables();
}

/**
 * Parses the options of a command.
 * @throws OperatorError for an unknown option or a missing value
 */
export function parseOptions<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new OperatorError((error as Error).message);
  }
}

/** Returns the message of an error that the operator can solve, and the stack of another one. */
export function describeError(error: unknown): string {
  const explained = explainFileError(error, findDataFolder());
  if (explained instanceof OperatorError || explained instanceof ConfigError) return explained.message;
  return explained instanceof Error ? (explained.stack ?? explained.message) : String(explained);
}

/**
 * Asks a question at the terminal; returns true for y or yes.
 * @param remedy what to do without a terminal, for the error
 * @throws OperatorError without a terminal
 */
export async function askForConfirmation(question: string, remedy: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new OperatorError(`There is no terminal to ask for confirmation: ${remedy}.`);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [yes/no] `)).trim());
  } finally {
    terminal.close();
  }
}

/** Prints a text and the end of its line. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

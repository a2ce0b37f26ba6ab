import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProjectRoot, OperatorError } from '../../local-services/data-folder';

const READY_TIMEOUT_MS = 60_000;

/** The fakes that `npm start` can start, by option: the title in messages and the program in src/demo. */
const FAKES = {
  'fake-upwork': { title: 'The fake Upwork', program: 'fake-upwork/server.js' },
  'fake-ai': { title: 'The fake AI', program: 'fake-ai/server.js' },
} as const;

/** The name of a fake; also its option. */
export type FakeName = keyof typeof FAKES;

/** All fakes, in start order. */
export const FAKE_NAMES = Object.keys(FAKES) as FakeName[];

/** Returns the title of a fake for the beginning of a sentence. */
export function getFakeTitle(name: FakeName): string {
  return FAKES[name].title;
}

/**
 * Returns the program of a fake, relative to the checkout. A fake is not part of the product: no Docker image has it.
 * @throws OperatorError in production, and without the program
 */
export function findFakeProgram(name: FakeName, env: NodeJS.ProcessEnv): string {
  if (env['NODE_ENV'] === 'production') throw new OperatorError(`--${name} cannot be used with NODE_ENV=production.`);
  const program = join('dist', 'src', 'demo', FAKES[name].program);
  if (existsSync(join(findProjectRoot(), program))) return program;
  throw new OperatorError(`--${name} needs a checkout: git clone, npm ci.`);
}

/**
 * Waits for the fake at this address and returns the settings that point a server at it; undefined after a minute.
 */
export async function fetchFakeSettings(url: string, signal: AbortSignal): Promise<Record<string, string> | undefined> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (Date.now() < deadline) {
    signal.throwIfAborted();
    try {
      const answer = await fetch(`${url}/control/hello`, { method: 'POST', signal: AbortSignal.timeout(3_000) });
      return ((await answer.json()) as { settings: Record<string, string> }).settings;
    } catch {
      await sleep(50);
    }
  }
  return undefined;
}

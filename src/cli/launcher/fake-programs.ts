import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProjectRoot, OperatorError } from '../../local-services/data-folder';

const READY_TIMEOUT_MS = 60_000;

/** The fakes that `npm start` can start, by option: the title in messages and the program in src/demo. */
const FAKES = {
  'fake-upwork': { title: 'The fake Upwork', program: 'fake-upwork/server.ts' },
  'fake-ai': { title: 'The fake AI', program: 'fake-ai/server.ts' },
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
 * Returns the arguments that run a fake on a port. A fake is not part of the product, so it runs from its sources.
 * @throws OperatorError in production, and without the sources or the development packages
 */
export function buildFakeCommand(name: FakeName, port: number, env: NodeJS.ProcessEnv): string[] {
  if (env['NODE_ENV'] === 'production') throw new OperatorError(`--${name} cannot be used with NODE_ENV=production.`);
  const program = join(findProjectRoot(), 'src', 'demo', FAKES[name].program);
  const compiler = resolveModule('ts-node/register/transpile-only');
  if (!compiler || !existsSync(program)) {
    throw new OperatorError(`--${name} needs a checkout with its development packages: git clone, npm ci.`);
  }
  return ['-r', compiler, program, String(port)];
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

function resolveModule(module: string): string | undefined {
  try {
    return createRequire(join(findProjectRoot(), 'package.json')).resolve(module);
  } catch {
    return undefined;
  }
}

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProjectRoot, OperatorError } from '../../local-services/data-folder';

const READY_TIMEOUT_MS = 20_000;

/** A fake that `npm start` brings along: its option, its title in sentences, its program in src/demo. */
const FAKES = {
  'fake-upwork': { title: 'The fake Upwork', program: 'fake-upwork/server.ts' },
  'fake-ai': { title: 'The fake AI', program: 'fake-ai/server.ts' },
} as const;

/** The name of a fake, which is its option, too. */
export type FakeName = keyof typeof FAKES;

/** All fakes, in the order they are started. */
export const FAKE_NAMES = Object.keys(FAKES) as FakeName[];

/** Returns the name of a fake as a sentence begins with it. */
export function getFakeTitle(name: FakeName): string {
  return FAKES[name].title;
}

/**
 * Returns how to run a fake of the tests on a port: it is no part of the product, so it is started from its sources and
 * never built.
 * @throws LaunchError in production, and where sources or development packages are missing
 */
export function buildFakeCommand(name: FakeName, port: number, env: NodeJS.ProcessEnv): string[] {
  if (env['NODE_ENV'] === 'production') throw new OperatorError(`--${name} is not for production.`);
  const program = join(findProjectRoot(), 'src', 'demo', FAKES[name].program);
  const compiler = resolveModule('ts-node/register/transpile-only');
  if (!compiler || !existsSync(program)) {
    throw new OperatorError(`--${name} needs a checkout with its development packages: git clone, npm ci.`);
  }
  return ['-r', compiler, program, String(port)];
}

/** Returns the settings with which a server uses the fake at this address, once it answers; undefined when it does not. */
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

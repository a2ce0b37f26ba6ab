import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LaunchError } from './launch-error';
import { projectRoot } from './project-root';

const READY_LIMIT_MS = 20_000;

/**
 * Returns how to run the fake Upwork of the tests on a port: it is no part of the product, so it is started from its
 * sources and never built.
 * @throws LaunchError in production, and where sources or development packages are missing
 */
export function fakeUpworkCommand(port: number, env: NodeJS.ProcessEnv): string[] {
  if (env['NODE_ENV'] === 'production') throw new LaunchError('--fake-upwork is not for production.');
  const program = join(projectRoot(), 'test', 'fakes', 'fake-upwork-server.ts');
  const compiler = resolved('ts-node/register/transpile-only');
  if (!compiler || !existsSync(program)) {
    throw new LaunchError('--fake-upwork needs a checkout with its development packages: git clone, npm ci.');
  }
  return ['-r', compiler, program, String(port)];
}

/** Returns the settings with which a server uses the fake at this address, once it answers; undefined when it does not. */
export async function fakeUpworkSettings(url: string, signal: AbortSignal): Promise<Record<string, string> | undefined> {
  const deadline = Date.now() + READY_LIMIT_MS;
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

function resolved(module: string): string | undefined {
  try {
    return createRequire(join(projectRoot(), 'package.json')).resolve(module);
  } catch {
    return undefined;
  }
}

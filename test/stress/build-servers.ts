import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';

const ROOT = resolve(__dirname, '..', '..');

/** Builds dist/ if it is older than the sources, for scenarios that start servers. */
export function buildServers(): void {
  execFileSync(process.execPath, ['src/cli/build.cjs'], { cwd: ROOT });
}

import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';

const ROOT = resolve(__dirname, '..', '..');

/** Builds dist/ where it is older than the sources, for proofs that start servers of their own. */
export function buildServers(): void {
  execFileSync(process.execPath, ['src/cli/build.cjs'], { cwd: ROOT });
}

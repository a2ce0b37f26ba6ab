import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
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

import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const DOWNLOAD_TIMEOUT_MS = 120_000;
/** Of the libraries a package needs, those never taken along: the C library must be the system's own. */
const SYSTEM_LIBRARIES = new Set(['libc6', 'libgcc-s1']);

/**
 * Unpacks Debian's or Ubuntu's signed package, with all libraries it needs, into `place` without installing it: no root
 * needed, a second or a few. What is there already is taken as it is.
 * @param name of the package; one that ends in `-*` stands for the highest version the archive has
 * @param librariesOf another package whose libraries are enough, itself included, for a program of a package that needs more
 * @throws Error when there is no apt, or it has no such package
 */
export async function unpackPackage(name: string, place: string, librariesOf?: string): Promise<void> {
  if (existsSync(place)) return;
  const draft = mkdtempSync(`${place}-`);
  try {
    await download(draft, name, librariesOf);
    for (const file of readdirSync(draft).filter((entry) => entry.endsWith('.deb'))) {
      await execute('dpkg', ['-x', join(draft, file), join(draft, 'root')]);
      await rm(join(draft, file));
    }
    await rm(join(draft, 'apt'), { recursive: true, force: true });
    await execute('chmod', ['-R', 'a+rX', draft]);
    await rename(draft, place).catch((error: unknown) => {
      // Another process was quicker: its copy is as good.
      if (!existsSync(place)) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Returns the folders of libraries that were unpacked in `place`, as LD_LIBRARY_PATH wants them. */
export function findLibraries(place: string): string {
  return ['usr/lib', 'lib']
    .map((part) => join(place, 'root', part))
    .filter((part) => existsSync(part))
    .flatMap((part) =>
      readdirSync(part)
        .filter((name) => name.includes('-linux-'))
        .map((name) => join(part, name)),
    )
    .join(delimiter);
}

/** Returns the first of these programs that is on PATH, or where Homebrew and hand-made installations lie. */
export function findOnPath(names: readonly string[]): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/bin', '/opt/homebrew/bin'];
  return names.flatMap((name) => folders.filter(Boolean).map((folder) => join(folder, name))).find(isExecutable);
}

/** Whether a file is there and may be run. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The system's package lists first; a fresh machine has none, so then lists of our own. */
async function download(folder: string, name: string, librariesOf?: string): Promise<void> {
  const own = join(folder, 'apt');
  mkdirSync(join(own, 'lists', 'partial'), { recursive: true });
  mkdirSync(join(own, 'archives', 'partial'), { recursive: true });
  const asAnyone = ['-o', 'APT::Sandbox::User=', '-o', `Dir::Cache=${own}`];
  const withOwnLists = [...asAnyone, '-o', `Dir::State::Lists=${join(own, 'lists')}`];
  try {
    await downloadPackages(folder, name, librariesOf, asAnyone);
  } catch {
    await execute('apt-get', [...withOwnLists, '-q', 'update'], { cwd: folder, timeout: DOWNLOAD_TIMEOUT_MS });
    await downloadPackages(folder, name, librariesOf, withOwnLists);
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

/** From library to library: what else a package depends on is for installing it. */
async function listLibraries(name: string, options: readonly string[]): Promise<Set<string>> {
  const libraries = new Set<string>();
  for (let asked = [name]; asked.length > 0;) {
    const { stdout } = await execute('apt-cache', [...options, 'depends', '--important', ...asked]);
    const needed = [...stdout.matchAll(/^[ \t]*Depends: (lib[a-z0-9+.-]*)$/gm)].map(([, library]) => library ?? '');
    asked = needed.filter((library) => !SYSTEM_LIBRARIES.has(library) && !libraries.has(library));
    asked.forEach((library) => libraries.add(library));
  }
  return libraries;
}

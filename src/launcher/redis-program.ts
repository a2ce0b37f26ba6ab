import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from './cache-folder';
import { LaunchError } from './launch-error';

const run = promisify(execFile);
const SERVERS = ['redis-server', 'valkey-server'] as const;
/** Of the packages Redis depends on, those never taken along: the C library must be the system's own. */
const NEVER_FETCHED = new Set(['libc6', 'libgcc-s1', 'adduser']);

/** Is a Redis server that can be run: its path and the folder of libraries it needs besides the system's. */
export interface RedisProgram {
  command: string;
  libraries?: string;
}

/**
 * Finds redis-server or valkey-server on PATH, else in the cache, else fetches Debian's or Ubuntu's signed package
 * into the cache without installing it (no root needed; about a second).
 * @throws LaunchError that names every way out when there is none
 */
export async function redisProgram(): Promise<RedisProgram> {
  const installed = onPath(SERVERS);
  if (installed !== undefined) return { command: installed };
  const place = join(cacheFolder(), `redis-${process.arch}`);
  try {
    if (!existsSync(place)) await fetchInto(place);
    return await unpacked(place);
  } catch (error) {
    await rm(place, { recursive: true, force: true });
    throw new LaunchError(`${WAYS_OUT}\n(${firstLine(error)})`);
  }
}

const WAYS_OUT = `No Redis was found, and none could be fetched with apt. Any one of these helps:
  apt install redis-server        (Debian, Ubuntu)
  brew install redis              (macOS)
  docker compose -f docker/compose.yml --env-file .env up --build   (everything in containers)
  REDIS_URL=redis://…             (a Redis 6 or newer of your own)`;

function onPath(names: readonly string[]): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/bin', '/opt/homebrew/bin'];
  const paths = names.flatMap((name) => folders.filter(Boolean).map((folder) => join(folder, name)));
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

async function fetchInto(place: string): Promise<void> {
  const draft = mkdtempSync(`${place}-`);
  try {
    await download(draft);
    for (const file of readdirSync(draft).filter((name) => name.endsWith('.deb'))) {
      await run('dpkg', ['-x', join(draft, file), join(draft, 'root')]);
      await rm(join(draft, file));
    }
    await rm(join(draft, 'apt'), { recursive: true, force: true });
    await run('chmod', ['-R', 'a+rX', draft]);
    await rename(draft, place).catch((error: unknown) => {
      // Another launcher was quicker: its copy is as good.
      if (!existsSync(place)) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** The system's package lists first; a fresh machine has none, so then lists of our own. */
async function download(folder: string): Promise<void> {
  const own = join(folder, 'apt');
  mkdirSync(join(own, 'lists', 'partial'), { recursive: true });
  mkdirSync(join(own, 'archives', 'partial'), { recursive: true });
  const asAnyone = ['-o', 'APT::Sandbox::User=', '-o', `Dir::Cache=${own}`];
  const withOwnLists = [...asAnyone, '-o', `Dir::State::Lists=${join(own, 'lists')}`];
  try {
    await downloadPackages(folder, asAnyone);
  } catch {
    await run('apt-get', [...withOwnLists, '-q', 'update'], { cwd: folder, timeout: 120_000 });
    await downloadPackages(folder, withOwnLists);
  }
}

async function downloadPackages(folder: string, options: readonly string[]): Promise<void> {
  const { stdout } = await run('apt-cache', [...options, 'depends', '--important', 'redis-tools']);
  const needed = [...stdout.matchAll(/^\s*Depends: ([a-z0-9][a-z0-9+.-]*)$/gm)].map(([, name]) => name ?? '');
  const packages = ['redis-tools', ...needed.filter((name) => !NEVER_FETCHED.has(name))];
  await run('apt-get', [...options, '-q', 'download', ...packages], { cwd: folder, timeout: 120_000 });
}

/** Checks that the unpacked server runs here. */
async function unpacked(place: string): Promise<RedisProgram> {
  const folder = join(place, 'root', 'usr', 'bin');
  const command = join(folder, 'redis-server');
  // The server and the checker are one program that looks at the name it is called by; the link is another package's.
  if (!existsSync(command)) symlinkSync('redis-check-rdb', command);
  const libraries = ['usr/lib', 'lib']
    .map((part) => join(place, 'root', part))
    .filter((part) => existsSync(part))
    .flatMap((part) => readdirSync(part).filter((name) => name.includes('-linux-')).map((name) => join(part, name)))
    .join(delimiter);
  await run(command, ['--version'], { env: { LD_LIBRARY_PATH: libraries } });
  return { command, libraries };
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n').slice(0, 2).join(' ');
}

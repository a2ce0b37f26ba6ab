import { execFile } from 'node:child_process';
import { existsSync, symlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from './cache-folder';
import { librariesIn, onPath, unpackPackage } from './debian-packages';
import { LaunchError } from './launch-error';

const run = promisify(execFile);
const SERVERS = ['redis-server', 'valkey-server'] as const;

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
    await unpackPackage('redis-tools', place);
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

/** Checks that the unpacked server runs here. */
async function unpacked(place: string): Promise<RedisProgram> {
  const folder = join(place, 'root', 'usr', 'bin');
  const command = join(folder, 'redis-server');
  // The server and the checker are one program that looks at the name it is called by; the link is another package's.
  if (!existsSync(command)) symlinkSync('redis-check-rdb', command);
  const libraries = librariesIn(place);
  await run(command, ['--version'], { env: { LD_LIBRARY_PATH: libraries } });
  return { command, libraries };
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n').slice(0, 2).join(' ');
}

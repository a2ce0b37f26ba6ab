import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { readCommandLine } from '../../local-services/managed-process';

/** State of a listening socket in /proc/net/tcp. */
const LISTENING = '0A';

/**
 * Finds the process that listens on a port of this machine: its id and the beginning of its command line. Linux only,
 * and without root only among the caller's own processes; otherwise undefined.
 */
export function findPortOwner(port: number): string | undefined {
  const sockets = new Set(listListeningSockets(port).map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) return undefined;
  const pid = list('/proc').find((name) => /^\d+$/.test(name) && holdsSocket(name, sockets));
  if (pid === undefined) return undefined;
  const [program = '', script = ''] = (readCommandLine(Number(pid)) ?? '').split(' ');
  return `process ${pid} (${[program, script].filter(Boolean).join(' ')})`;
}

/** Returns the inodes of the sockets that listen on a port. */
function listListeningSockets(port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) =>
    read(file)
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, address, , state]) => state === LISTENING && address?.endsWith(`:${wanted}`))
      .map((fields) => fields[9] ?? ''),
  );
}

function holdsSocket(pid: string, sockets: ReadonlySet<string>): boolean {
  const folder = join('/proc', pid, 'fd');
  return list(folder).some((name) => sockets.has(readLink(join(folder, name))));
}

/** Processes end while they are listed, and those of other users cannot be read. */
function attempt<T>(work: () => T, fallback: T): T {
  try {
    return work();
  } catch {
    return fallback;
  }
}

const list = (folder: string): string[] => attempt(() => readdirSync(folder), []);
const read = (file: string): string => attempt(() => readFileSync(file, 'utf8'), '');
const readLink = (file: string): string => attempt(() => readlinkSync(file), '');

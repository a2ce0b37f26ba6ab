import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** Creates a folder and its parents with access for its owner only; restricts an existing one. */
export function createPrivateFolder(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
  return path;
}

/** Writes a file that only its owner can read. The write is atomic: a reader never sees a partial file. */
export function writePrivateFile(path: string, text: string): void {
  writeDraft(path, text, renameSync);
}

/** Does the same for a file that must not exist. @throws an error with the code EEXIST when it does */
export function createPrivateFile(path: string, text: string): void {
  writeDraft(path, text, linkSync);
}

/** Writes a file beside `path`, and passes both to `place`. It leaves no draft, also on a full disk. */
function writeDraft(path: string, text: string, place: (draft: string, path: string) => void): void {
  const draft = `${path}.${process.pid}`;
  try {
    // Flushed: after a power failure, a renamed file could otherwise be empty.
    writeFileSync(draft, text, { mode: 0o600, flush: true });
    chmodSync(draft, 0o600);
    place(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Returns the content of a JSON file that loses nothing when it is damaged; undefined for a damaged one too. */
export function readDisposableJsonFile<T>(path: string): T | undefined {
  try {
    return readJsonFile<T>(path);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Returns the content of a JSON file, or undefined when it or its folder does not exist. */
export function readJsonFile<T>(path: string): T | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
  return JSON.parse(text) as T;
}

/** The unprivileged account of PostgreSQL and Redis when root starts them. */
export interface ServiceUser {
  name: string;
  uid: number;
  gid: number;
}

/**
 * Returns the account of the services: `postgres` or `nobody` under root, otherwise undefined (the current user).
 * PostgreSQL refuses to run as root, and initdb refuses a uid without a line in /etc/passwd.
 */
export function findServiceUser(): ServiceUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const lines = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const line = lines.find(([entry]) => entry === name);
    if (line) return { name, uid: Number(line[2]), gid: Number(line[3]) };
  }
  return undefined;
}

/** Makes the service user, if any, the owner of a path. */
export function changeOwner(user: ServiceUser | undefined, path: string): void {
  if (user) chownSync(path, user.uid, user.gid);
}

/**
 * Returns true when the service user can read `path` and enter every parent folder; a home with mode 0700 prevents
 * it.
 */
export function isReachable(path: string, user: ServiceUser | undefined): boolean {
  if (!user) return true;
  let current = realpathSync(path);
  let needed = 0o5;
  for (;;) {
    const stat = statSync(current);
    const bits = stat.uid === user.uid ? stat.mode >> 6 : stat.mode;
    const wanted = stat.isFile() && !(stat.mode & 0o100) ? 0o4 : needed;
    if ((bits & wanted) !== wanted) return false;
    const parent = dirname(current);
    if (parent === current) return true;
    current = parent;
    needed = 0o1;
  }
}

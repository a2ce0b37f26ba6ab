import {
  chmodSync,
  linkSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
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

/** The unprivileged account of a process that root starts. */
export interface ServiceUser {
  name: string;
  uid: number;
  gid: number;
}

/**
 * The accounts that root may use, best first: an account of Gigvault, or one of every system. They differ, because a
 * process can read the environment of another process of its account. Other programs may use those of the system:
 * Debian's `at` runs as daemon.
 */
const ACCOUNTS = {
  services: ['postgres', 'nobody'],
  api: ['gigvault-api', 'daemon', 'nobody'],
  worker: ['gigvault-worker', 'bin', 'nobody'],
} as const;

/**
 * Returns the account of PostgreSQL and Redis, of the API or of the worker under root, otherwise undefined (the current
 * user). PostgreSQL refuses to run as root, and initdb refuses a uid without a line in /etc/passwd.
 * @param accounts the content of /etc/passwd, by default that of this machine
 */
export function findServiceUser(kind: keyof typeof ACCOUNTS = 'services', accounts?: string): ServiceUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const lines = (accounts ?? readFileSync('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const name of ACCOUNTS[kind]) {
    const line = lines.find(([entry]) => entry === name);
    if (line) return { name, uid: Number(line[2]), gid: Number(line[3]) };
  }
  return undefined;
}

/** Returns what is wrong, and the cure, when two kinds of processes have the same account under root. */
export function findSharedAccount(accounts?: string): { readonly detail: string; readonly cure: string } | undefined {
  const kinds = Object.keys(ACCOUNTS) as (keyof typeof ACCOUNTS)[];
  const names = kinds.flatMap((kind) => findServiceUser(kind, accounts)?.name ?? []);
  const shared = names.find((name, index) => names.indexOf(name) !== index);
  if (shared === undefined) return undefined;
  return {
    detail: `the account ${shared} runs several of PostgreSQL, API and worker, which can read each other's secrets`,
    cure: 'useradd --system --user-group gigvault-api && useradd --system --user-group gigvault-worker',
  };
}

/** The accounts of API and worker, which share a group: the API reads what the worker writes. */
export interface ServerUsers {
  readonly api: ServiceUser;
  readonly worker: ServiceUser;
}

/** Returns the accounts of the servers under root, otherwise undefined (the current user). */
export function findServerUsers(): ServerUsers | undefined {
  const [api, worker] = [findServiceUser('api'), findServiceUser('worker')];
  return api && worker && { api, worker: { ...worker, gid: api.gid } };
}

/**
 * Changes the owner of a file or folder, and its mode if one is given. The folder around it must be closed to the
 * accounts that root does not trust: they could replace a parent of the path.
 * @throws Error for a link, for a device, and for a second name of another user's file: an account that may write to
 *   the folder would choose what root gives away
 */
export function giveTo(path: string, { uid, gid }: Pick<ServiceUser, 'uid' | 'gid'>, mode?: number): void {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(file);
    const isOnlyName = stat.isFile() && (stat.nlink === 1 || stat.uid === uid);
    if (!stat.isDirectory() && !isOnlyName)
      throw new Error(`${path} is not given to another account: it is no plain file, or has a second name`);
    fchownSync(file, uid, gid);
    if (mode !== undefined) fchmodSync(file, mode);
  } finally {
    closeSync(file);
  }
}

/** Makes the service user, if any, the owner of a file or folder. @throws Error like `giveTo` */
export function changeOwner(user: ServiceUser | undefined, path: string): void {
  if (user) giveTo(path, user);
}

/**
 * Returns true when the user can read `path` and enter every parent folder; a home with mode 0700 prevents it.
 * @param base the last folder that is examined; by default the root
 */
export function isReachable(path: string, user: ServiceUser | undefined, base = '/'): boolean {
  if (!user) return true;
  let current = realpathSync(path);
  const last = realpathSync(base);
  let needed = 0o5;
  for (;;) {
    const stat = statSync(current);
    const wanted = stat.isFile() && !(stat.mode & 0o100) ? 0o4 : needed;
    if ((selectBits(stat, user) & wanted) !== wanted) return false;
    const parent = dirname(current);
    if (current === last || parent === current) return true;
    current = parent;
    needed = 0o1;
  }
}

/** Returns true when the user can reach a folder and write to it. */
export function isWritableBy(folder: string, user: ServiceUser): boolean {
  return isReachable(folder, user) && (selectBits(statSync(folder), user) & 0o2) !== 0;
}

/** Returns the permission bits that apply to the user, as the last three bits. */
function selectBits({ uid, gid, mode }: Stats, user: ServiceUser): number {
  if (uid === user.uid) return mode >> 6;
  return gid === user.gid ? mode >> 3 : mode;
}

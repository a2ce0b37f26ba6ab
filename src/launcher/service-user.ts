import { chownSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Is the unprivileged account PostgreSQL and Redis run under when the launcher runs as root. */
export interface ServiceUser {
  name: string;
  uid: number;
  gid: number;
}

/**
 * Returns the account for the services: undefined when not root (they run as ourselves), else `postgres` or `nobody`.
 * PostgreSQL refuses to run as root, and initdb refuses a uid that has no line in /etc/passwd.
 */
export function serviceUser(): ServiceUser | undefined {
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

/** Gives a path to the service user, where there is one. */
export function giveTo(user: ServiceUser | undefined, path: string): void {
  if (user) chownSync(path, user.uid, user.gid);
}

/** Says whether the service user may read `path` and walk every folder above it (a 0700 home stops him). */
export function isReachable(path: string, user: ServiceUser | undefined): boolean {
  if (!user) return true;
  let current = realpathSync(path);
  let needed = 0o5;
  for (;;) {
    const { mode, uid, isFile } = withKind(current);
    const bits = uid === user.uid ? mode >> 6 : mode;
    const wanted = isFile && !(mode & 0o100) ? 0o4 : needed;
    if ((bits & wanted) !== wanted) return false;
    const parent = dirname(current);
    if (parent === current) return true;
    current = parent;
    needed = 0o1;
  }
}

function withKind(path: string): { mode: number; uid: number; isFile: boolean } {
  const stat = statSync(path);
  return { mode: stat.mode, uid: stat.uid, isFile: stat.isFile() };
}

import { randomUUID } from 'node:crypto';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

const SENTENCES: Readonly<Record<string, string>> = {
  ENOSPC: 'its disk is full',
  EDQUOT: 'the quota of its disk is used up',
  EROFS: 'its disk is read only',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOENT: 'no folder can be made there',
  ENAMETOOLONG: 'its name is too long',
};

/**
 * Creates a folder, closed to others, with its parents. Fails below /proc, where Node's recursive mkdir loops forever.
 */
export async function makeFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  });
  if (found?.isDirectory()) return;
  if (found) throw Object.assign(new Error(`${folder} is a file`), { code: 'ENOTDIR', path: folder });
  await makeFolder(dirname(folder));
  await mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    // Another process has created it meanwhile.
    if (error.code !== 'EEXIST') throw error;
  });
}

/** Checks that files can be written to a folder, and creates it if missing. Returns the problem, or undefined. */
export async function whyNotUsable(folder: string): Promise<string | undefined> {
  const path = resolve(folder);
  try {
    await makeFolder(path);
    const attempt = join(path, `.${randomUUID()}`);
    await writeFile(attempt, 'x', { mode: 0o600 });
    await rm(attempt);
    return undefined;
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') return `${await findFile(path)} is a file, not a folder`;
    return `${path}: ${SENTENCES[code] ?? message}`;
  }
}

/** Finds the part of a path that is a file. */
async function findFile(path: string): Promise<string> {
  const above = dirname(path);
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  return isThere || above === path ? path : findFile(above);
}

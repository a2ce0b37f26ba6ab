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
 * Makes a folder, closed to others, with those above it. Unlike Node's recursive mkdir it ends where none can be made: below
 * /proc that one tries for ever.
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
    // Another process was quicker.
    if (error.code !== 'EEXIST') throw error;
  });
}

/** Returns why files cannot be written to a folder, which is made where it is missing; undefined when they can. */
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
    if (code === 'ENOTDIR') return `${await fileIn(path)} is a file, not a folder`;
    return `${path}: ${SENTENCES[code] ?? message}`;
  }
}

/** The part of a path that is a file. */
async function fileIn(path: string): Promise<string> {
  const above = dirname(path);
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  return isThere || above === path ? path : fileIn(above);
}

import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { OperatorError } from './data-folder';

/** Describes what is wrong with a folder, and the cure. */
type Describe = (folder: string) => readonly [reason: string, cure: string];

/** Errors of the file system that the operator can solve. @see https://man7.org/linux/man-pages/man3/errno.3.html */
const PROBLEMS: Readonly<Record<string, Describe>> = {
  ENOSPC: (folder) => [`the disk of ${folder} is full`, buildSpaceCure(folder)],
  EDQUOT: (folder) => [`the quota of the disk of ${folder} is used up`, buildSpaceCure(folder)],
  EROFS: (folder) => [
    `the disk of ${folder} is read only`,
    'mount -o remount,rw and its mount point (findmnt shows it, dmesg the errors of the disk)',
  ],
  EACCES: describeDenial,
  EPERM: describeDenial,
};

/** Texts of the same errors in the logs of PostgreSQL and Redis. */
const LOG_TEXTS = [
  [/No space left on device/, 'ENOSPC'],
  [/Disk quota exceeded/, 'EDQUOT'],
  [/Read-only file system/, 'EROFS'],
] as const;

/** Lines of errors in the logs of PostgreSQL and Redis. */
const ERROR_LINE = /FATAL|PANIC|error:| # /i;

/** System calls whose errors have the same codes but another meaning. */
const OTHER_CALLS = /^(?:spawn|watch|kill|listen|connect)/;

/** The code of PostgreSQL for a full disk. */
const POSTGRES_DISK_FULL = '53100';

/** Returns the cure of a full disk. */
export function buildSpaceCure(folder: string): string {
  return `remove files; the largest are shown by: du -xah ${folder} | sort -h | tail`;
}

/**
 * Replaces an error of the file system that the operator can solve by one with the cure. Returns other errors as they
 * are.
 * @param folder used when the error has no path
 */
export function explainFileError(error: unknown, folder: string): unknown {
  if (!(error instanceof Error)) return error;
  const { code = '', path = folder, syscall = '' } = error as NodeJS.ErrnoException;
  if (code === POSTGRES_DISK_FULL) return new OperatorError('the disk of PostgreSQL is full', 'remove files from it');
  if (!(code in PROBLEMS) || OTHER_CALLS.test(syscall)) return error;
  return createError(code, findFolder(path));
}

/** Returns the cause of a server's end when the last error of its log is one of its disk; otherwise undefined. */
export function explainServerLog(log: string, folder: string): OperatorError | undefined {
  const last = log.split('\n').findLast((line) => ERROR_LINE.test(line)) ?? '';
  const code = LOG_TEXTS.find(([pattern]) => pattern.test(last))?.[1];
  return code && createError(code, folder);
}

function createError(code: string, folder: string): OperatorError {
  return new OperatorError(...PROBLEMS[code]!(folder));
}

function describeDenial(folder: string): readonly [reason: string, cure: string] {
  const owner = statSync(folder, { throwIfNoEntry: false })?.uid;
  const user = process.getuid?.();
  if (owner === user) return [`${folder} denies access to its owner`, `chmod -R u+rwX ${folder}`];
  return [`${folder} belongs to user ${owner}`, `chown -R ${user} ${folder}, or start as that user`];
}

/** Returns the nearest folder that exists. */
function findFolder(path: string): string {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return isFolder || dirname(path) === path ? path : findFolder(dirname(path));
}

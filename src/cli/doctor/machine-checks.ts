import { existsSync, readFileSync, statfsSync, statSync, readdirSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { BackupError } from '../../backups/storage/backup-store';
import { type S3Access, S3Store } from '../../backups/storage/s3-store';
import { findSharedAccount } from '../../local-services/file-permissions';
import { readCommandLine, whyNotListen } from '../../local-services/managed-process';
import { buildSpaceCure } from '../../local-services/storage-problems';
import type { Config } from '../../platform/config/config';
import { whyNotUsable } from '../../platform/config/usable-folder';
import { SmtpTransport } from '../../platform/mail/smtp-transport';
import { type Finding, ok, problem, warning } from './finding';

const MEBIBYTE = 1_048_576;

/** Free space below which PostgreSQL soon cannot write. */
const FULL_BYTES = 100 * MEBIBYTE;

/** Free space below which a backup or an import may not fit. */
const NEARLY_FULL_BYTES = 1_024 * MEBIBYTE;

/** Checks that the API can listen. @param runningUrl the address of the API that this checkout runs, if any */
export async function checkPorts(
  { host, port, metricsPort }: Config['http'],
  runningUrl: string | undefined,
): Promise<Finding[]> {
  if (runningUrl !== undefined) return [ok('port', `Gigvault runs at ${runningUrl}`)];
  const found = await checkPort(port, host, 'PORT');
  return metricsPort === 0 ? [found] : [found, await checkPort(metricsPort, host, 'METRICS_PORT')];
}

async function checkPort(port: number, host: string, name: string): Promise<Finding> {
  const reason = await whyNotListen(port, host, name);
  if (reason === undefined)
    return ok('port', port === 0 ? 'the system chooses a free one' : `${port} of ${host} is free`);
  if (reason.startsWith('HOST'))
    return problem('port', reason, 'HOST=127.0.0.1 npm start, or HOST=0.0.0.0 for all addresses of this machine');
  const owner = reason.endsWith('taken') ? findPortOwner(port) : undefined;
  return problem('port', `${reason}${owner === undefined ? '' : ` by ${owner}`}`, `${name}=${port + 1} npm start`);
}

/** Checks that root gives each kind of process an account of its own. */
export function checkAccounts(): Finding {
  const shared = findSharedAccount();
  if (shared) return warning('accounts', shared.detail, shared.cure);
  return ok(
    'accounts',
    process.getuid?.() === 0 ? 'one for each kind of process' : 'all processes run as the current user',
  );
}

/**
 * Checks the free space for data, backups and temporary files.
 * @param servicesFolder the data of the embedded PostgreSQL and Redis, if any
 */
export function checkDisks({ dataDir, backups }: Config, servicesFolder = dataDir): Finding[] {
  // One finding a disk, with the last of these folders that is on it.
  const folders = [tmpdir(), ...(backups.s3 ? [] : [backups.folder]), servicesFolder, dataDir];
  const byDisk = new Map(folders.map(findExisting).map((folder) => [statSync(folder).dev, folder]));
  return [...byDisk.values()].map(checkDisk);
}

function checkDisk(folder: string): Finding {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const detail = `the disk of ${folder} has ${Math.floor(free / MEBIBYTE)} MiB left`;
  const cure = buildSpaceCure(folder);
  if (free < FULL_BYTES) return problem('disk', detail, cure);
  return free < NEARLY_FULL_BYTES ? warning('disk', detail, cure) : ok('disk', detail);
}

/**
 * Checks the folder of backups like the start. A missing one is not created: the disk that belongs there may not be
 * mounted.
 */
export async function checkBackupFolder({ s3, folder }: Config['backups'], isSet: boolean): Promise<Finding> {
  if (s3) return checkBucket(s3);
  const parent = await whyNotUsable(findExisting(folder));
  const name = isSet ? 'BACKUP_DIR' : 'GIGVAULT_DATA_DIR';
  if (parent !== undefined) return problem('backups', `${name} is not usable: ${parent}`, findFolderCure(name, parent));
  if (existsSync(folder) || !isSet) return ok('backups', `${folder} can be written`);
  return warning(
    'backups',
    `BACKUP_DIR ${folder} does not exist`,
    `mount its disk, or create it: mkdir -m 700 -p ${folder}`,
  );
}

function findFolderCure(name: string, reason: string): string {
  if (reason.endsWith('its disk is read only')) return `mount it writable, or correct ${name}`;
  return reason.endsWith('its disk is full') ? 'free space on its disk' : `correct ${name}, or chown the folder`;
}

/** Lists the bucket of backups. The start does not: a backup that fails is reported later. */
async function checkBucket(s3: S3Access): Promise<Finding> {
  try {
    await new S3Store(s3).list();
    return ok('backups', `the bucket ${s3.bucket} can be listed`);
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    const cure = 'correct BACKUP_S3_ENDPOINT, BACKUP_S3_BUCKET and its keys, or create the bucket';
    return warning('backups', error.message, cure);
  }
}

/** Signs in at the mail server, if one is set. The start does not: emails wait until it answers. */
export async function checkMailServer(config: Config): Promise<Finding> {
  if (config.mail.smtpUrl === undefined) return ok('mail', 'not sent; /admin/mail shows the emails');
  const transport = new SmtpTransport(config);
  const code = await transport.verify();
  transport.onApplicationShutdown();
  if (code === undefined) return ok('mail', 'the mail server of SMTP_URL answers');
  const detail = `the mail server of SMTP_URL does not accept the connection or login: ${code}`;
  return warning('mail', detail, 'correct SMTP_URL: smtp://USER:PASSWORD@HOST:587; emails wait meanwhile');
}

/** Returns the nearest parent folder that exists. */
function findExisting(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : findExisting(dirname(path));
}

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

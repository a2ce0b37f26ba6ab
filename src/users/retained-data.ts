import type { Config } from '../platform/config/config';
import type { RetainedDataDto } from './users.dto';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Time until the task `remove-erased-texts` has ended: it runs each hour. */
const TASK_MS = 2 * HOUR_MS;

/** Lifetime of emails that are stored on the server itself, with the interval of the task that deletes them. */
const LOCAL_EMAIL_MS = 25 * HOUR_MS;

/** Places that keep data without a limit of time. */
const UNLIMITED: readonly RetainedDataDto[] = [
  {
    place: 'audit log',
    content: 'that a row of this user number changed, when, in which table, by which request; its values are removed',
    until: null,
  },
  {
    place: 'data files of PostgreSQL',
    content: 'the space of deleted rows until it is used again; no query reads it, only a copy of the disk',
    until: null,
  },
  {
    place: 'search index of PostgreSQL',
    content: 'single words without a user, in the data files and the write-ahead log, until the index is rebuilt',
    until: null,
  },
  {
    place: 'memory of the servers',
    content: 'recently read values until the memory is used again, at the latest until the next restart',
    until: null,
  },
  {
    place: 'server logs',
    content: 'network addresses and ids of requests, no texts; as long as the operator keeps the logs',
    until: null,
  },
  {
    place: 'other services',
    content: 'what Upwork, AI providers, receivers of webhooks and mail servers received before',
    until: null,
  },
];

/** Returns when the last backup with an erased account expires. */
export function computeBackupExpiry(erasedAt: Date, { backupDays }: Config['retention']): Date {
  return new Date(erasedAt.getTime() + backupDays * DAY_MS);
}

/** Lists every place where data of an account stays after its erasure, and until when. */
export function listRetainedData(erasedAt: Date, retention: Config['retention']): RetainedDataDto[] {
  return [...listLimited(erasedAt, retention), ...listArchive(retention), ...UNLIMITED];
}

function listLimited(erasedAt: Date, retention: Config['retention']): RetainedDataDto[] {
  const place = (name: string, ms: number, content: string): RetainedDataDto => {
    return { place: name, content, until: new Date(erasedAt.getTime() + ms) };
  };
  return [
    place('job statistics', HOUR_MS, 'counts and averages under this user number'),
    place('files of Redis', TASK_MS, 'texts that Redis had in memory, until the next rewrite of its files'),
    place(
      'statistics of PostgreSQL',
      TASK_MS,
      'single values of columns, which only a superuser can read; longer in a table that has no other rows',
    ),
    place(
      'write-ahead log of PostgreSQL',
      retention.walHours * HOUR_MS,
      'the changes of the last hours, and those in its archive, if there is one',
    ),
    place('emails', LOCAL_EMAIL_MS, 'the encrypted email about the erasure, where the server stores emails itself'),
    place(
      'backups',
      retention.backupDays * DAY_MS,
      'copies of the database before the erasure, read only to repair the server; the newest verified backup stays ' +
        'longer while later backups fail',
    ),
    place(
      'security log',
      retention.securityLogDays * DAY_MS,
      'that something happened to this user number and when, without addresses and details',
    ),
  ];
}

/** Partitions of the logs in the archive are out of the reach of an erasure. */
function listArchive({ partitionYears }: Config['retention']): RetainedDataDto[] {
  if (partitionYears === 0) return [];
  const content = `log entries of more than ${partitionYears} years ago, with values, until the operator drops them`;
  return [{ place: 'archived partitions', content, until: null }];
}

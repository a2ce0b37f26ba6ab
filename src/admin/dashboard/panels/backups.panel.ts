import { Injectable } from '@nestjs/common';
import { BACKUP } from '../../../backups/backup.task';
import { Config } from '../../../platform/config/config';
import { BackupFilesService } from '../../backup-files.service';
import { AdminBackupsService } from '../../backups.service';
import type { BackupDto } from '../../dto/backup.dto';
import { html, type Markup } from '../html';
import type { Panel } from '../panel';
import { bytes, duration, moment, numbers, table, tag, type Column } from '../widgets';

const SHOWN = 50;

const TONES = { pending: 'calm', running: 'calm', verified: 'good', failed: 'bad' } as const;

/** The names of the files in the store; null when it does not answer. */
type Names = ReadonlySet<string> | null;

const columnsOf = (names: Names): readonly Column<BackupDto>[] => [
  { head: 'Backup', cell: ({ id }) => id },
  { head: 'Status', cell: (backup) => html`${statusOf(backup)}${fileTag(backup, names)}` },
  { head: 'Taken', cell: ({ createdAt }) => moment(createdAt, true) },
  { head: 'Verified', cell: ({ verifiedAt }) => moment(verifiedAt, true) },
  { head: 'Size', cell: ({ sizeBytes }) => (sizeBytes === null ? '–' : bytes(sizeBytes)), isNumber: true },
  { head: 'Check took', cell: ({ figures }) => duration(numberOf(figures?.['checkMs'])), isNumber: true },
  { head: 'Started by', cell: byWhom },
  { head: 'Action', cell: verifyLink },
];

/** The backups, whether each can be restored, and what is kept. */
@Injectable()
export class BackupsPanel implements Panel {
  readonly path = '/backups';
  readonly title = 'Backups';
  readonly section = '/admin/backups';

  constructor(
    private readonly backups: AdminBackupsService,
    private readonly files: BackupFilesService,
    private readonly config: Config,
  ) {}

  async render(): Promise<Markup> {
    const [{ items }, names] = await Promise.all([this.backups.list({ limit: SHOWN }), this.files.names()]);
    const kept = items.filter((backup) => isKept(backup) && isThere(backup, names));
    const good = kept.filter(({ verifiedAt }) => verifiedAt !== null);
    const { keep, s3, maxAgeHours } = this.config.backups;
    return html`<p>
        Each backup is restored into a scratch cluster and compared with what was dumped; only then is it verified. The
        light is green while the newest verified one is younger than ${maxAgeHours} hours.
      </p>
      ${numbers([
        [good[0] ? ageOf(good[0].createdAt) : 'none', 'since the newest that is verified'],
        [names ? good.length : 'unknown', 'verified, with a file'],
        [
          names ? bytes(kept.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0)) : 'unknown',
          s3 ? 'in the S3 store' : 'in the folder',
        ],
      ])}
      <p class="acts">
        <a class="button main" href="/admin/backups/make">Make one now</a>
        <a class="button quiet" href="/admin/tasks/${BACKUP.id}">Run history</a>
      </p>
      <div class="card">${table('Backups, newest first', columnsOf(names), items, 'There is no backup yet.')}</div>
      <p class="dim">
        Kept: the newest of each of ${keep.daily} days, ${keep.weekly} weeks and ${keep.monthly}
        ${keep.monthly === 1 ? 'month' : 'months'}, ${this.config.retention.backupDays} days at most. Restore one with
        <code>npm run restore -- &lt;number&gt;</code>.
      </p>`;
  }
}

function ageOf(at: Date): string {
  return duration(Date.now() - at.getTime());
}

function isKept({ sizeBytes, removedAt }: BackupDto): boolean {
  return sizeBytes !== null && removedAt === null;
}

function isThere({ fileName }: BackupDto, names: Names): boolean {
  return names === null || (fileName !== null && names.has(fileName));
}

function fileTag(backup: BackupDto, names: Names): Markup | null {
  if (!isKept(backup) || backup.status === 'running') return null;
  if (names === null) return html` ${tag('unknown', 'store does not answer')}`;
  return isThere(backup, names) ? null : html` ${tag('bad', 'file missing')}`;
}

function statusOf({ status, error, removedAt }: BackupDto): Markup {
  if (removedAt !== null) return html`${tag('calm', 'removed')} ${moment(removedAt, true)}`;
  return html`${tag(TONES[status], status)}${error === null ? null : html` <span class="error">${error}</span>`}`;
}

function byWhom({ startedBy, startedById, reason }: BackupDto): Markup | string {
  if (startedBy !== 'admin') return startedBy;
  return html`<a class="plain" href="/admin/users/${startedById}">admin ${startedById}</a
    >${reason === null ? null : html` <span class="dim">${reason}</span>`}`;
}

function verifyLink({ id, status, sizeBytes, removedAt }: BackupDto): Markup | null {
  if (sizeBytes === null || removedAt !== null || status === 'pending' || status === 'running') return null;
  return html`<a class="button quiet" href="/admin/backups/${id}/verify"
    >Verify<span class="hidden"> backup ${id}</span></a
  >`;
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

import { Injectable } from '@nestjs/common';
import { BACKUP } from '../../../backups/backup-run.service';
import { Config } from '../../../platform/config/config';
import { BackupFilesService } from '../../api/backups/backup-files.service';
import { AdminBackupsService } from '../../api/backups/admin-backups.service';
import type { BackupDto } from '../../api/backups/backups.dto';
import {
  type Column,
  figureList,
  formatBytes,
  formatDuration,
  html,
  type Markup,
  table,
  tag,
  timestamp,
} from '../components/html';
import type { Panel } from '../components/page';

const BACKUPS_SHOWN = 50;

const TONES = { pending: 'calm', running: 'calm', verified: 'good', failed: 'bad' } as const;

/** The names of the files in the store; null when it does not answer. */
type FileNames = ReadonlySet<string> | null;

const buildColumns = (names: FileNames): readonly Column<BackupDto>[] => [
  { head: 'Backup', cell: ({ id }) => id },
  { head: 'Status', cell: (backup) => html`${statusTag(backup)}${fileTag(backup, names)}` },
  { head: 'Taken', cell: ({ createdAt }) => timestamp(createdAt, true) },
  { head: 'Verified', cell: ({ verifiedAt }) => timestamp(verifiedAt, true) },
  { head: 'Size', cell: ({ sizeBytes }) => (sizeBytes === null ? '–' : formatBytes(sizeBytes)), isNumber: true },
  { head: 'Check took', cell: ({ figures }) => formatDuration(toNumber(figures?.['checkMs'])), isNumber: true },
  { head: 'Started by', cell: startedByText },
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
    const [{ items }, names] = await Promise.all([this.backups.list({ limit: BACKUPS_SHOWN }), this.files.listNames()]);
    const kept = items.filter((backup) => isKept(backup) && hasFile(backup, names));
    const good = kept.filter(({ verifiedAt }) => verifiedAt !== null);
    const { keep, s3, maxAgeHours } = this.config.backups;
    return html`<p>
        Each backup is restored into a scratch cluster and compared with what was dumped; only then is it verified. The
        light is green while the newest verified one is younger than ${maxAgeHours} hours.
      </p>
      ${figureList([
        [good[0] ? formatAge(good[0].createdAt) : 'none', 'since the newest that is verified'],
        [names ? good.length : 'unknown', 'verified, with a file'],
        [
          names ? formatBytes(kept.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0)) : 'unknown',
          s3 ? 'in the S3 store' : 'in the folder',
        ],
      ])}
      <p class="actions">
        <a class="button main" href="/admin/backups/make">Make one now</a>
        <a class="button quiet" href="/admin/tasks/${BACKUP.id}">Run history</a>
      </p>
      <div class="card">${table('Backups, newest first', buildColumns(names), items, 'There is no backup yet.')}</div>
      <p class="dim">
        Kept: the newest of each of ${keep.daily} days, ${keep.weekly} weeks and ${keep.monthly}
        ${keep.monthly === 1 ? 'month' : 'months'}, ${this.config.retention.backupDays} days at most. Restore one with
        <code>npm run restore -- &lt;number&gt;</code>.
      </p>`;
  }
}

function formatAge(at: Date): string {
  return formatDuration(Date.now() - at.getTime());
}

function isKept({ sizeBytes, removedAt }: BackupDto): boolean {
  return sizeBytes !== null && removedAt === null;
}

function hasFile({ fileName }: BackupDto, names: FileNames): boolean {
  return names === null || (fileName !== null && names.has(fileName));
}

function fileTag(backup: BackupDto, names: FileNames): Markup | null {
  if (!isKept(backup) || backup.status === 'running') return null;
  if (names === null) return html` ${tag('unknown', 'store does not answer')}`;
  return hasFile(backup, names) ? null : html` ${tag('bad', 'file missing')}`;
}

function statusTag({ status, error, removedAt }: BackupDto): Markup {
  if (removedAt !== null) return html`${tag('calm', 'removed')} ${timestamp(removedAt, true)}`;
  return html`${tag(TONES[status], status)}${error === null ? null : html` <span class="error">${error}</span>`}`;
}

function startedByText({ startedBy, startedById, reason }: BackupDto): Markup | string {
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

function toNumber(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

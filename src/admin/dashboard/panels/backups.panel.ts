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

const TONES = { pending: 'neutral', running: 'neutral', verified: 'good', failed: 'bad' } as const;

/** The names of the files in the store; null when the store does not answer. */
type FileNames = ReadonlySet<string> | null;

const buildColumns = (names: FileNames): readonly Column<BackupDto>[] => [
  { head: 'Backup', cell: ({ id }) => id },
  { head: 'Status', cell: (backup) => html`${statusTag(backup)}${fileTag(backup, names)}` },
  { head: 'Taken', cell: ({ createdAt }) => timestamp(createdAt, true) },
  { head: 'Verified', cell: ({ verifiedAt }) => timestamp(verifiedAt, true) },
  { head: 'Size', cell: ({ sizeBytes }) => (sizeBytes === null ? '–' : formatBytes(sizeBytes)), isNumber: true },
  { head: 'Check duration', cell: ({ figures }) => formatDuration(toNumber(figures?.['checkMs'])), isNumber: true },
  { head: 'Started by', cell: startedByText },
  { head: 'Action', cell: verifyLink },
];

/** The backups with their verification, and the retention policy. */
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
    const stored = items.filter((backup) => isStored(backup) && hasFile(backup, names));
    const verified = stored.filter(({ verifiedAt }) => verifiedAt !== null);
    const { keep, s3, maxAgeHours } = this.config.backups;
    return html`<p>
        Each backup is restored into a scratch cluster and compared with the dump; only then is it verified. The status
        is OK while the newest verified backup is younger than ${maxAgeHours} hours.
      </p>
      ${figureList([
        [verified[0] ? formatAge(verified[0].createdAt) : 'none', 'age of the newest verified backup'],
        [names ? verified.length : 'unknown', 'verified, with a file'],
        [
          names ? formatBytes(stored.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0)) : 'unknown',
          s3 ? 'in the S3 bucket' : 'in the folder',
        ],
      ])}
      <p class="actions">
        <a class="button main" href="/admin/backups/make">Create a backup</a>
        <a class="button subtle" href="/admin/tasks/${BACKUP.id}">Run history</a>
      </p>
      <div class="card">${table('Backups, newest first', buildColumns(names), items, 'No backups yet.')}</div>
      <p class="muted">
        Kept: the newest of each of ${keep.daily} days, ${keep.weekly} weeks and ${keep.monthly}
        ${keep.monthly === 1 ? 'month' : 'months'}, for at most ${this.config.retention.backupDays} days. Restore one
        with
        <code>npm run restore -- &lt;number&gt;</code>.
      </p>`;
  }
}

function formatAge(at: Date): string {
  return formatDuration(Date.now() - at.getTime());
}

function isStored({ sizeBytes, removedAt }: BackupDto): boolean {
  return sizeBytes !== null && removedAt === null;
}

function hasFile({ fileName }: BackupDto, names: FileNames): boolean {
  return names === null || (fileName !== null && names.has(fileName));
}

function fileTag(backup: BackupDto, names: FileNames): Markup | null {
  if (!isStored(backup) || backup.status === 'running') return null;
  if (names === null) return html` ${tag('unknown', 'store does not answer')}`;
  return hasFile(backup, names) ? null : html` ${tag('bad', 'file missing')}`;
}

function statusTag({ status, error, removedAt }: BackupDto): Markup {
  if (removedAt !== null) return html`${tag('neutral', 'removed')} ${timestamp(removedAt, true)}`;
  return html`${tag(TONES[status], status)}${error === null ? null : html` <span class="error">${error}</span>`}`;
}

function startedByText({ startedBy, startedById, reason }: BackupDto): Markup | string {
  if (startedBy !== 'admin') return startedBy;
  return html`<a class="plain" href="/admin/users/${startedById}">admin ${startedById}</a
    >${reason === null ? null : html` <span class="muted">${reason}</span>`}`;
}

function verifyLink({ id, status, sizeBytes, removedAt }: BackupDto): Markup | null {
  if (sizeBytes === null || removedAt !== null || status === 'pending' || status === 'running') return null;
  return html`<a class="button subtle" href="/admin/backups/${id}/verify"
    >Verify<span class="hidden"> backup ${id}</span></a
  >`;
}

function toNumber(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

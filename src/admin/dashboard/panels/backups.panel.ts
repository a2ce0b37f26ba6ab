import { Injectable } from '@nestjs/common';
import { BACKUP } from '../../../backups/backup.task';
import { Config } from '../../../platform/config/config';
import { AdminBackupsService } from '../../backups.service';
import type { BackupDto } from '../../dto/backup.dto';
import { html, type Markup } from '../html';
import type { Panel } from '../panel';
import { bytes, duration, moment, numbers, table, tag, type Column } from '../widgets';

const SHOWN = 50;

const TONES = { pending: 'calm', running: 'calm', verified: 'good', failed: 'bad' } as const;

const COLUMNS: readonly Column<BackupDto>[] = [
  { head: 'Backup', cell: ({ id }) => id },
  { head: 'Standing', cell: standingOf },
  { head: 'Taken', cell: ({ createdAt }) => moment(createdAt, true) },
  { head: 'Verified', cell: ({ verifiedAt }) => moment(verifiedAt, true) },
  { head: 'Size', cell: ({ sizeBytes }) => (sizeBytes === null ? '–' : bytes(sizeBytes)), isNumber: true },
  { head: 'Check took', cell: ({ figures }) => duration(numberOf(figures?.['checkMs'])), isNumber: true },
  { head: 'By', cell: byWhom },
  { head: '', cell: verifyLink },
];

/** The backups, whether each can be restored, and what is kept. */
@Injectable()
export class BackupsPanel implements Panel {
  readonly path = '/backups';
  readonly title = 'Backups';
  readonly section = '/admin/backups';

  constructor(
    private readonly backups: AdminBackupsService,
    private readonly config: Config,
  ) {}

  async render(): Promise<Markup> {
    const { items } = await this.backups.list({ limit: SHOWN });
    const kept = items.filter(({ sizeBytes, removedAt }) => sizeBytes !== null && removedAt === null);
    const good = kept.filter(({ verifiedAt }) => verifiedAt !== null);
    const { keep, s3, maxAgeHours } = this.config.backups;
    return html`<p>Each backup is restored into a scratch cluster and compared with what was dumped; only then is it verified.
        The light is green while the newest verified one is younger than ${maxAgeHours} hours.</p>
      ${numbers([
        [good[0] ? ageOf(good[0].createdAt) : 'none', 'since the newest that is verified'],
        [good.length, 'verified, with a file'],
        [bytes(kept.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0)), s3 ? 'in the S3 store' : 'in the folder'],
      ])}
      <p class="acts"><a class="button main" href="/admin/backups/make">Make one now</a> <a class="button quiet" href="/admin/tasks/${BACKUP.id}">Its runs</a></p>
      <div class="card">${table('Backups, newest first', COLUMNS, items, 'There is no backup yet.')}</div>
      <p class="dim">Kept: the newest of each of ${keep.daily} days, ${keep.weekly} weeks and ${keep.monthly} ${keep.monthly === 1 ? 'month' : 'months'}, ${this.config.retention.backupDays} days at most.
        Restore one with <code>npm run restore -- &lt;number&gt;</code>.</p>`;
  }
}

function ageOf(at: Date): string {
  return duration(Date.now() - at.getTime());
}

function standingOf({ status, error, removedAt }: BackupDto): Markup {
  if (removedAt !== null) return html`${tag('calm', 'removed')} ${moment(removedAt, true)}`;
  return html`${tag(TONES[status], status)}${error === null ? null : html` <span class="error">${error}</span>`}`;
}

function byWhom({ startedBy, startedById, reason }: BackupDto): Markup | string {
  if (startedBy !== 'admin') return startedBy;
  return html`<a class="plain" href="/admin/users/${startedById}">admin ${startedById}</a>${reason === null ? null : html` <span class="dim">${reason}</span>`}`;
}

function verifyLink({ id, status, sizeBytes, removedAt }: BackupDto): Markup | null {
  if (sizeBytes === null || removedAt !== null || status === 'pending' || status === 'running') return null;
  return html`<a class="button quiet" href="/admin/backups/${id}/verify">Verify<span class="hidden"> backup ${id}</span></a>`;
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

import { Injectable } from '@nestjs/common';
import type { VNode } from 'preact';
import { BACKUP } from '../../../backups/backup-run.service';
import { Config } from '../../../platform/config/config';
import { BackupFilesService } from '../../api/backups/backup-files.service';
import { AdminBackupsService } from '../../api/backups/admin-backups.service';
import type { BackupDto } from '../../api/backups/backups.dto';
import { type Column, type Content, FigureList, Table, Tag, Timestamp, type Panel } from '../components/page';
import { formatBytes, formatDuration } from '../components/format';

const BACKUPS_SHOWN = 50;

const TONES = { pending: 'neutral', running: 'neutral', verified: 'good', failed: 'bad' } as const;

/** The names of the files in the store; null when the store does not answer. */
type FileNames = ReadonlySet<string> | null;

function buildColumns(names: FileNames): readonly Column<BackupDto>[] {
  return [
    { head: 'Backup', cell: ({ id }) => id },
    { head: 'Status', cell: (backup) => <Status backup={backup} names={names} /> },
    { head: 'Taken', cell: ({ createdAt }) => <Timestamp at={createdAt} isRelative /> },
    { head: 'Verified', cell: ({ verifiedAt }) => <Timestamp at={verifiedAt} isRelative /> },
    { head: 'Size', cell: ({ sizeBytes }) => (sizeBytes === null ? '–' : formatBytes(sizeBytes)), isNumber: true },
    { head: 'Check duration', cell: ({ figures }) => formatDuration(toNumber(figures?.['checkMs'])), isNumber: true },
    { head: 'Started by', cell: startedBy },
    { head: 'Action', cell: verifyLink },
  ];
}

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

  async render(): Promise<VNode> {
    const [{ items }, names] = await Promise.all([this.backups.list({ limit: BACKUPS_SHOWN }), this.files.listNames()]);
    return (
      <>
        <p>
          Each backup is restored into a scratch cluster and compared with the dump; only then is it verified. The
          status is OK while the newest verified backup is younger than {this.config.backups.maxAgeHours} hours.
        </p>
        <KeyFigures
          backups={items}
          names={names}
          place={this.config.backups.s3 ? 'in the S3 bucket' : 'in the folder'}
        />
        <p class="actions">
          <a class="button main" href="/admin/backups/make">
            Create a backup
          </a>{' '}
          <a class="button subtle" href={`/admin/tasks/${BACKUP.id}`}>
            Run history
          </a>
        </p>
        <div class="card">
          <Table caption="Backups, newest first" columns={buildColumns(names)} rows={items} empty="No backups yet." />
        </div>
        <RetentionPolicy keep={this.config.backups.keep} maxDays={this.config.retention.backupDays} />
      </>
    );
  }
}

interface KeyFiguresProps {
  readonly backups: readonly BackupDto[];
  readonly names: FileNames;
  readonly place: string;
}

function KeyFigures({ backups, names, place }: KeyFiguresProps): VNode {
  const stored = backups.filter((backup) => isStored(backup) && hasFile(backup, names));
  const verified = stored.filter(({ verifiedAt }) => verifiedAt !== null);
  const storedBytes = stored.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
  return (
    <FigureList
      figures={[
        [verified[0] ? formatAge(verified[0].createdAt) : 'none', 'age of the newest verified backup'],
        [names ? verified.length : 'unknown', 'verified, with a file'],
        [names ? formatBytes(storedBytes) : 'unknown', place],
      ]}
    />
  );
}

function RetentionPolicy({ keep, maxDays }: { keep: Config['backups']['keep']; maxDays: number }): VNode {
  return (
    <p class="muted">
      Kept: the newest of each of {keep.daily} days, {keep.weekly} weeks and {keep.monthly}{' '}
      {keep.monthly === 1 ? 'month' : 'months'}, for at most {maxDays} days. Restore one with{' '}
      <code>npm run restore -- &lt;number&gt;</code>; src/backups/README.md has the steps.
    </p>
  );
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

function Status({ backup, names }: { backup: BackupDto; names: FileNames }): VNode {
  const { status, error, removedAt } = backup;
  if (removedAt !== null) {
    return (
      <>
        <Tag tone="neutral" text="removed" /> <Timestamp at={removedAt} isRelative />
      </>
    );
  }
  return (
    <>
      <Tag tone={TONES[status]} text={status} /> {error !== null && <span class="error">{error}</span>}{' '}
      <FileTag backup={backup} names={names} />
    </>
  );
}

function FileTag({ backup, names }: { backup: BackupDto; names: FileNames }): VNode | null {
  if (!isStored(backup) || backup.status === 'running') return null;
  if (names === null) return <Tag tone="unknown" text="store does not answer" />;
  return hasFile(backup, names) ? null : <Tag tone="bad" text="file missing" />;
}

function startedBy({ startedBy: origin, startedById, reason }: BackupDto): Content {
  if (origin !== 'admin') return origin;
  return (
    <>
      <a class="plain" href={`/admin/users/${startedById}`}>
        admin {startedById}
      </a>{' '}
      {reason !== null && <span class="muted">{reason}</span>}
    </>
  );
}

function verifyLink({ id, status, sizeBytes, removedAt }: BackupDto): Content {
  if (sizeBytes === null || removedAt !== null || status === 'pending' || status === 'running') return null;
  return (
    <a class="button subtle" href={`/admin/backups/${id}/verify`}>
      Verify<span class="hidden"> backup {id}</span>
    </a>
  );
}

function toNumber(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

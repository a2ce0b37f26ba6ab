import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Config } from '../platform/config/config';
import { withDirectConnection } from '../platform/database/driver/direct-connection';
import { findLoginUrl } from '../platform/database/driver/primary-host';
import { migrationNames } from '../platform/database/schema/migrations';
import { EncryptionService } from '../platform/encryption/encryption.service';
import { MasterKeys } from '../platform/encryption/master-keys';
import {
  type ScheduledTask,
  type Skipped,
  type TaskContext,
  type TaskResult,
} from '../platform/scheduler/scheduled-task';
import { BackupError, BackupStore, buildFileName } from './storage/backup-store';
import { writeBackup, countRows, type Manifest } from './storage/backup-file';
import {
  INSERT_RUNNING,
  SET_FAILED,
  SET_FILE,
  NEWEST_VERIFIED,
  SET_CANARY,
  TAKE_QUEUED,
  SET_VERIFIED,
  SET_WRITTEN,
  type QueuedBackup,
} from './backups.queries';
import { BackupRetentionService } from './backup-retention.service';
import { dumpArchive, findTools, type PostgresTools } from './restore/postgres-tools';
import { buildCanaryContext, checkBackup, type ExpectedFile, hashCanary, StreamDigest } from './restore/restore-check';
import { ScratchCluster } from './restore/scratch-cluster';
import { assertSeesAllRows, withSnapshot } from './snapshot';

/** One backup run at a time across processes. Held until the transaction ends; no other login can take it. */
const TRY_LOCK = 'SELECT app.try_lock_backups() AS "isFree"';
const LOCK_RETRY_MS = 1_000;

const MAX_ERROR_LENGTH = 1_000;

const SHUTDOWN_TIMEOUT_MS = 5_000;

/** The programs and the cluster that one run uses. */
interface RestoreTools {
  readonly tools: PostgresTools;
  readonly cluster: ScratchCluster;
}

/**
 * Makes backups and checks each by restoring it. A dump is compressed and encrypted on its way to the store, read back,
 * restored into a scratch cluster and compared. Only a backup that passes every step is verified.
 */
@Injectable()
export class BackupRunService implements OnApplicationShutdown {
  private currentRun: Promise<unknown> | undefined;

  constructor(
    private readonly config: Config,
    private readonly store: BackupStore,
    private readonly encryption: EncryptionService,
    private readonly masterKeys: MasterKeys,
    private readonly retention: BackupRetentionService,
  ) {}

  /**
   * Makes the requested backups and checks; a scheduled run makes one of its own. One run at a time across processes.
   * Then removes the backups that the policy does not keep.
   * @throws BackupError when one of them failed; the rows of backups contain every error
   */
  run(context: TaskContext): Promise<TaskResult | Skipped> {
    const run = this.runExclusively(context);
    this.currentRun = run.catch(() => undefined);
    return run;
  }

  /** Waits until an aborted run has removed its scratch cluster; after the timeout the next run removes it. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.race([this.currentRun, sleep(SHUTDOWN_TIMEOUT_MS, undefined, { ref: false })]);
  }

  private async runExclusively(context: TaskContext): Promise<TaskResult | Skipped> {
    return withDirectConnection(await findLoginUrl(this.config, 'backup'), async (connection) => {
      await assertSeesAllRows(connection);
      await connection.query('BEGIN');
      while (!(await connection.query<{ isFree: boolean }>(TRY_LOCK))[0]?.isFree)
        await sleep(LOCK_RETRY_MS, undefined, { signal: context.signal });
      await this.retention.closeInterrupted(context);
      if (context.startedBy === 'boot' && (await this.hasRecentBackup(context)))
        return { skipped: 'the newest backup is verified and recent' };
      const [version] = await connection.query<{ major: number }>(
        `SELECT current_setting('server_version_num')::integer / 10000 AS major`,
      );
      return this.processBackups(context, version?.major ?? 0);
    });
  }

  private async processBackups(context: TaskContext, major: number): Promise<TaskResult> {
    const figures = { made: 0, checked: 0, failed: 0, removed: 0 };
    const failures: unknown[] = [];
    let lastId: number | null = null;
    const firstBackup = await this.startFirst(context);
    const lazyTools = this.createLazyTools(major);
    try {
      for (
        let row = firstBackup;
        row;
        row = context.startedBy === 'admin' ? undefined : await this.takeQueued(context)
      ) {
        lastId = row.id;
        try {
          await this.processBackup(context, row, lazyTools);
          figures[row.fileName === null ? 'made' : 'checked'] += 1;
        } catch (error) {
          failures.push(error);
          figures.failed += 1;
        }
      }
    } finally {
      await (await lazyTools.opened())?.cluster.close();
    }
    // No backup is removed while backups fail.
    for (const failure of failures) throw failure;
    figures.removed = await this.retention.prune(context);
    return { ...figures, backup: lastId };
  }

  /** Takes the backup an admin queued; without one, starts a new backup, as every other run does. */
  private async startFirst(context: TaskContext): Promise<QueuedBackup | undefined> {
    const queued = context.startedBy === 'admin' ? await this.takeQueued(context) : undefined;
    if (queued) return queued;
    const [row] = await context.asWorker((unit) => unit.query<QueuedBackup>(INSERT_RUNNING, getTrigger(context)));
    return row;
  }

  private async takeQueued(context: TaskContext): Promise<QueuedBackup | undefined> {
    const [row] = await context.asWorker((unit) => unit.query<QueuedBackup>(TAKE_QUEUED));
    return row;
  }

  private async processBackup(
    context: TaskContext,
    row: QueuedBackup,
    lazyTools: ReturnType<BackupRunService['createLazyTools']>,
  ): Promise<void> {
    const startedAt = Date.now();
    try {
      const { tools } = await lazyTools.open();
      const { fileName, sizeBytes, sha256, migration } = row;
      const hasFile = fileName !== null && sizeBytes !== null && sha256 !== null && migration !== null;
      const file = hasFile
        ? { backupId: row.id, fileName, sizeBytes, sha256, migration }
        : await this.createBackup(context, row.id, tools);
      const createdAt = Date.now();
      const manifest = await this.verify(context, file, lazyTools);
      const figures = {
        tables: Object.keys(manifest.tables).length,
        rows: countRows(manifest),
        ...(!hasFile && { dumpMs: createdAt - startedAt }),
        checkMs: Date.now() - createdAt,
      };
      await context.asWorker((unit) => unit.query(SET_VERIFIED, [row.id, JSON.stringify(figures)]));
    } catch (error) {
      // An aborted run must not write; the next run finds the row and closes it.
      if (!context.signal.aborted)
        await context.asWorker((unit) => unit.query(SET_FAILED, [row.id, describeError(error)]));
      throw error;
    }
  }

  /** Dumps the database, encrypts the dump and stores it. */
  private async createBackup(context: TaskContext, id: number, tools: PostgresTools): Promise<ExpectedFile> {
    const url = await findLoginUrl(this.config, 'backup');
    const canary = randomBytes(24).toString('base64url');
    const sealKey = randomUUID();
    const sealed = await this.encryption.seal(canary, buildCanaryContext(sealKey));
    await context.asWorker((unit) => unit.query(SET_CANARY, [id, sealKey, sealed]));
    return withSnapshot(url, { backupId: id, canaryHash: hashCanary(canary) }, async ({ id: snapshot, manifest }) => {
      const fileName = buildFileName(id, new Date(manifest.takenAt));
      const migration = this.checkMigration(manifest);
      const masterKeys = [...new Set([this.masterKeys.currentId, ...manifest.masterKeys])];
      await context.asWorker((unit) => unit.query(SET_FILE, [id, this.store.kind, fileName, migration, masterKeys]));
      const digest = new StreamDigest();
      const archive = dumpArchive(tools, { url, snapshot }, context.signal);
      await this.store.write(
        fileName,
        digest.track(writeBackup(fileName, manifest, archive, this.masterKeys)),
        context.signal,
      );
      const { sizeBytes, sha256 } = digest;
      await context.asWorker((unit) => unit.query(SET_WRITTEN, [id, sizeBytes, sha256]));
      return { backupId: id, fileName, sizeBytes, sha256, migration };
    });
  }

  private checkMigration({ migrations }: Manifest): string {
    const [last, newest] = [migrations.at(-1), migrationNames().at(-1)];
    if (last === undefined || last !== newest)
      throw new BackupError(`the database has the schema of ${last ?? 'no migration'}, this release expects ${newest}`);
    return last;
  }

  private async verify(
    context: TaskContext,
    file: ExpectedFile,
    lazyTools: ReturnType<BackupRunService['createLazyTools']>,
  ): Promise<Manifest> {
    return checkBackup(
      this.store.read(file.fileName),
      file,
      { ...(await lazyTools.open()), masterKeys: this.masterKeys },
      context.signal,
    );
  }

  /** Finds the programs and starts the cluster on first use; one run shares them. */
  private createLazyTools(major: number) {
    let lazyTools: Promise<RestoreTools> | undefined;
    const open = async (): Promise<RestoreTools> => {
      const url = await findLoginUrl(this.config, 'backup');
      const tools = await findTools(major);
      return {
        tools,
        cluster: await ScratchCluster.open(Math.max(major, tools.major), this.config.backups.scratchUrl, url),
      };
    };
    return { open: () => (lazyTools ??= open()), opened: () => lazyTools?.catch(() => undefined) };
  }

  private async hasRecentBackup(context: TaskContext): Promise<boolean> {
    const [newest] = await context.readOnly((unit) => unit.query<{ at: Date | null }>(NEWEST_VERIFIED));
    if (!newest?.at) return false;
    return Date.now() - newest.at.getTime() < this.config.backups.maxAgeHours * 3_600_000;
  }
}

function describeError(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, MAX_ERROR_LENGTH) || 'no reason given';
}

/** Returns the origin of a backup that was not queued; an admin can also start the task itself. */
function getTrigger({ startedBy, startedById }: TaskContext): [startedBy: string, startedById: number | null] {
  return startedBy === 'admin' || startedBy === 'boot' ? [startedBy, startedById] : ['schedule', null];
}

/** Makes backups and verifies each by restoring it. */
export const BACKUP: ScheduledTask = {
  id: 'backup',
  description:
    'Writes an encrypted dump of the database to BACKUP_DIR or the S3 bucket, restores it into a scratch cluster and ' +
    'compares the two. Removes expired backups.',
  cron: '12 2 * * *',
  timezone: 'UTC',
  timeoutMs: 6 * 3_600_000,
  retries: 1,
  missedRunImpact: 'If the disk fails, everything written since the last verified backup is lost.',
  runsAtBoot: true,
  run: (context) => context.service(BackupRunService).run(context),
};

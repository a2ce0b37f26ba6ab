import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Config } from '../platform/config/config';
import { withDirectConnection } from '../platform/database/direct-connection';
import { migrationNames } from '../platform/database/migrations';
import { EncryptionService } from '../platform/encryption/encryption.service';
import { MasterKeys } from '../platform/encryption/master-keys';
import type { Figures, Skipped, TaskContext } from '../platform/scheduler/scheduled-task';
import { BackupError } from './backup-error';
import { writeBackup } from './backup-file';
import { BackupStore, fileNameOf } from './backup-store';
import {
  BEGIN,
  FAILED,
  NAME_FILE,
  NEWEST_VERIFIED,
  PUT_CANARY,
  TAKE_WAITING,
  VERIFIED,
  WRITTEN,
  type WaitingRow,
} from './backups.queries';
import { KeptBackups } from './kept-backups.service';
import { rowsIn, type Manifest } from './manifest';
import { dumpArchive } from './postgres-archive';
import { findTools, type PostgresTools } from './postgres-tools';
import { checkBackup, Measure, type ExpectedFile } from './restore-check';
import { canaryHash, canaryPlace } from './restored-copy';
import { ScratchCluster } from './scratch-cluster';
import { assertSeesEverything, withSnapshot } from './snapshot';

/** Of the session that makes backups; whoever has it is the only one. */
const ONE_AT_A_TIME = `SELECT pg_try_advisory_lock(hashtext('gigvault backups')) AS "isFree"`;
const ASK_AGAIN_MS = 1_000;

const MAX_ERROR = 1_000;

const STOP_PATIENCE_MS = 5_000;

/** What one run has at hand. */
interface Bench {
  readonly tools: PostgresTools;
  readonly cluster: ScratchCluster;
}

/**
 * Makes backups and checks each by restoring it: dumped, compressed and sealed on its way to the store, read back from
 * there, restored into a scratch cluster and compared. Only what came through all of it is verified.
 */
@Injectable()
export class BackupRun implements OnApplicationShutdown {
  private current: Promise<unknown> | undefined;

  constructor(
    private readonly config: Config,
    private readonly store: BackupStore,
    private readonly encryption: EncryptionService,
    private readonly masterKeys: MasterKeys,
    private readonly kept: KeptBackups,
  ) {}

  /**
   * Makes the backups and the checks that were asked for; the schedule asks for one itself. One run at a time, across
   * processes. Then removes what the rule does not keep.
   * @throws BackupError when one of them failed; the rows of backups tell all
   */
  run(context: TaskContext): Promise<Figures | Skipped> {
    const run = this.alone(context);
    this.current = run.catch(() => undefined);
    return run;
  }

  /** A run that was told to end takes its scratch cluster along; a process that ends first leaves it to the next run. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.race([this.current, sleep(STOP_PATIENCE_MS, undefined, { ref: false })]);
  }

  private alone(context: TaskContext): Promise<Figures | Skipped> {
    return withDirectConnection(this.config.database.urls.backup, async (connection) => {
      await assertSeesEverything(connection);
      while (!(await connection.query<{ isFree: boolean }>(ONE_AT_A_TIME))[0]?.isFree)
        await sleep(ASK_AGAIN_MS, undefined, { signal: context.signal });
      await this.kept.closeLost(context);
      if (context.startedBy === 'boot' && (await this.hasFresh(context)))
        return { skipped: 'the newest backup is verified and young' };
      const [version] = await connection.query<{ major: number }>(
        `SELECT current_setting('server_version_num')::integer / 10000 AS major`,
      );
      return this.runWith(context, version?.major ?? 0);
    });
  }

  private async runWith(context: TaskContext, major: number): Promise<Figures> {
    const figures = { made: 0, checked: 0, failed: 0, removed: 0 };
    const failures: unknown[] = [];
    let lastId: number | null = null;
    const waiting = await this.waiting(context);
    const bench = this.benchOf(major);
    try {
      for (let row = waiting; row; row = context.startedBy === 'admin' ? undefined : await this.take(context)) {
        lastId = row.id;
        try {
          await this.serve(context, row, bench);
          figures[row.fileName === null ? 'made' : 'checked'] += 1;
        } catch (error) {
          failures.push(error);
          figures.failed += 1;
        }
      }
    } finally {
      await (await bench.opened())?.cluster.close();
    }
    // While something is wrong with backups, none is removed.
    for (const failure of failures) throw failure;
    figures.removed = await this.kept.prune(context);
    return { ...figures, backup: lastId };
  }

  /** An admin's run serves what he asked for; without that it makes a backup, as every other does. */
  private async waiting(context: TaskContext): Promise<WaitingRow | undefined> {
    const asked = context.startedBy === 'admin' ? await this.take(context) : undefined;
    if (asked) return asked;
    const [row] = await context.asWorker((unit) => unit.query<WaitingRow>(BEGIN, startOf(context)));
    return row;
  }

  private async take(context: TaskContext): Promise<WaitingRow | undefined> {
    const [row] = await context.asWorker((unit) => unit.query<WaitingRow>(TAKE_WAITING));
    return row;
  }

  private async serve(context: TaskContext, row: WaitingRow, bench: ReturnType<BackupRun['benchOf']>): Promise<void> {
    const startedAt = Date.now();
    try {
      const { tools } = await bench.open();
      const { fileName, sizeBytes, sha256, migration } = row;
      const isThere = fileName !== null && sizeBytes !== null && sha256 !== null && migration !== null;
      const file = isThere
        ? { backupId: row.id, fileName, sizeBytes, sha256, migration }
        : await this.make(context, row.id, tools);
      const madeAt = Date.now();
      const manifest = await this.check(context, file, bench);
      const figures = {
        tables: Object.keys(manifest.tables).length,
        rows: rowsIn(manifest),
        ...(!isThere && { dumpMs: madeAt - startedAt }),
        checkMs: Date.now() - madeAt,
      };
      await context.asWorker((unit) => unit.query(VERIFIED, [row.id, JSON.stringify(figures)]));
    } catch (error) {
      // A run that was ended may not write any more; who comes next finds the row and closes it.
      if (!context.signal.aborted) await context.asWorker((unit) => unit.query(FAILED, [row.id, wordsOf(error)]));
      throw error;
    }
  }

  /** Dumps, seals and stores. */
  private async make(context: TaskContext, id: number, tools: PostgresTools): Promise<ExpectedFile> {
    const { backup: url } = this.config.database.urls;
    const canary = randomBytes(24).toString('base64url');
    const sealKey = randomUUID();
    const sealed = await this.encryption.seal(canary, canaryPlace(sealKey));
    await context.asWorker((unit) => unit.query(PUT_CANARY, [id, sealKey, sealed]));
    return withSnapshot(url, { backupId: id, canaryHash: canaryHash(canary) }, async ({ id: snapshot, manifest }) => {
      const fileName = fileNameOf(id, new Date(manifest.takenAt));
      const migration = this.migrationOf(manifest);
      const masterKeys = [...new Set([this.masterKeys.currentId, ...manifest.masterKeys])];
      await context.asWorker((unit) => unit.query(NAME_FILE, [id, this.store.kind, fileName, migration, masterKeys]));
      const measure = new Measure();
      const archive = dumpArchive(tools, { url, snapshot }, context.signal);
      await this.store.write(
        fileName,
        measure.of(writeBackup(fileName, manifest, archive, this.masterKeys)),
        context.signal,
      );
      const { sizeBytes, sha256 } = measure;
      await context.asWorker((unit) => unit.query(WRITTEN, [id, sizeBytes, sha256]));
      return { backupId: id, fileName, sizeBytes, sha256, migration };
    });
  }

  private migrationOf({ migrations }: Manifest): string {
    const [last, newest] = [migrations.at(-1), migrationNames().at(-1)];
    if (last === undefined || last !== newest)
      throw new BackupError(`the schema of the database is that of ${last ?? 'no migration'}, not of ${newest}`);
    return last;
  }

  private async check(
    context: TaskContext,
    file: ExpectedFile,
    bench: ReturnType<BackupRun['benchOf']>,
  ): Promise<Manifest> {
    return checkBackup(
      this.store.read(file.fileName),
      file,
      { ...(await bench.open()), masterKeys: this.masterKeys },
      context.signal,
    );
  }

  /** Programs and cluster, found and started when first needed, shared by all of a run. */
  private benchOf(major: number) {
    let bench: Promise<Bench> | undefined;
    const { urls } = this.config.database;
    const open = async (): Promise<Bench> => {
      const tools = await findTools(major);
      return {
        tools,
        cluster: await ScratchCluster.open(Math.max(major, tools.major), this.config.backups.scratchUrl, urls.backup),
      };
    };
    return { open: () => (bench ??= open()), opened: () => bench?.catch(() => undefined) };
  }

  private async hasFresh(context: TaskContext): Promise<boolean> {
    const [newest] = await context.look((unit) => unit.query<{ at: Date | null }>(NEWEST_VERIFIED));
    if (!newest?.at) return false;
    return Date.now() - newest.at.getTime() < this.config.backups.maxAgeHours * 3_600_000;
  }
}

function wordsOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, MAX_ERROR) || 'for no reason given';
}

/** Returns what started a backup that nobody waits for; an admin may also have asked for a run of the task. */
function startOf({ startedBy, startedById }: TaskContext): [startedBy: string, startedById: number | null] {
  return startedBy === 'admin' || startedBy === 'boot' ? [startedBy, startedById] : ['schedule', null];
}

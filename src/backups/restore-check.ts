import { createHash } from 'node:crypto';
import { migrate } from '../launcher/migrations';
import { withDirectConnection } from '../platform/database/direct-connection';
import { migrationNames } from '../platform/database/migrations';
import type { MasterKeys } from '../platform/encryption/master-keys';
import type { Bytes } from '../platform/encryption/sealed-stream';
import { openBackup } from './backup-file';
import { BackupError } from './backup-error';
import { rowsIn, type Manifest } from './manifest';
import { restoreArchive } from './postgres-archive';
import type { PostgresTools } from './postgres-tools';
import { faultsOf } from './restored-copy';
import type { ScratchCluster } from './scratch-cluster';

/** How many faults are told; the rest is of the same kind. */
const TOLD = 5;

/** What the row of a backup says of its file. */
export interface ExpectedFile {
  readonly backupId: number;
  readonly fileName: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** The newest that had run. */
  readonly migration: string;
}

/** Counts and hashes bytes as they pass. */
export class Measure {
  sizeBytes = 0;
  private readonly hash = createHash('sha256');

  async *of(bytes: Bytes): AsyncGenerator<Buffer> {
    for await (const piece of bytes) {
      this.sizeBytes += piece.length;
      this.hash.update(piece);
      yield piece;
    }
  }

  /** In hex, when all has passed. */
  get sha256(): string {
    return this.hash.copy().digest('hex');
  }
}

/** With what backups are checked. */
export interface CheckTools {
  readonly cluster: ScratchCluster;
  readonly tools: PostgresTools;
  readonly masterKeys: MasterKeys;
}

/**
 * Restores a backup into a database of the scratch cluster and compares it with what there was at the instant of the dump:
 * rows of each table, those of some tenants one by one, policies and all else of the schema; a sealed text is opened, and
 * tenants are tried as the app's login. Returns what was compared.
 * @param file the file as its store gives it
 * @throws BackupError with the faults that were found
 */
export async function checkBackup(
  file: Bytes,
  expected: ExpectedFile,
  with_: CheckTools,
  signal?: AbortSignal,
): Promise<Manifest> {
  const { cluster, tools, masterKeys } = with_;
  const measure = new Measure();
  const { header, manifest, archive } = await openBackup(measure.of(file), masterKeys);
  if (header.name !== expected.fileName) throw new BackupError(`the file is that of ${header.name}`);
  assertIsOf(manifest, expected);
  return cluster.withDatabase(async (url) => {
    await restoreArchive(tools, url, archive, signal);
    if (measure.sizeBytes !== expected.sizeBytes || measure.sha256 !== expected.sha256)
      throw new BackupError('the file is not the one that was written: its checksum differs');
    const faults = await withDirectConnection(url, (connection) => faultsOf(connection, manifest, masterKeys));
    if (faults.length > 0) {
      throw new BackupError(
        `the restored copy is not what was dumped: ${faults.slice(0, TOLD).join('; ')}${faults.length > TOLD ? ` and ${faults.length - TOLD} more` : ''}`,
      );
    }
    if (manifest.migrations.length < migrationNames().length) await assertMigrates(url);
    return manifest;
  });
}

function assertIsOf(manifest: Manifest, { backupId, migration }: ExpectedFile): void {
  if (manifest.backupId !== backupId) throw new BackupError(`the file is that of backup ${manifest.backupId}`);
  if (!manifest.role.seesAllRows)
    throw new BackupError(`it was dumped as ${manifest.role.name}, which does not see all rows`);
  if (manifest.migrations.at(-1) !== migration)
    throw new BackupError(`its schema is that of ${manifest.migrations.at(-1) ?? 'no migration'}, not of ${migration}`);
  if (rowsIn(manifest) === 0) throw new BackupError('it holds no rows');
}

/** A backup of an earlier release is worth what can be made of it with this one. */
async function assertMigrates(url: string): Promise<void> {
  await migrate(asOwner(url)).catch((cause: Error) => {
    throw new BackupError(`it is of an earlier release, and its migrations fail: ${cause.message}`, { cause });
  });
}

/** A superuser's address whose sessions act as the owner of the tables, as those of gigvault_migrator do. */
export function asOwner(url: string): string {
  const address = new URL(url);
  address.searchParams.set('options', '-c role=gigvault_owner -c search_path=public');
  return address.href;
}

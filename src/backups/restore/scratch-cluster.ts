import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrapDatabase, createPassword } from '../../local-services/database-setup';
import { EmbeddedPostgres } from '../../local-services/embedded-postgres';
import { isAlive, stopOrphan } from '../../local-services/managed-process';
import { findInstalledMajor } from '../../local-services/service-programs';
import { changeOwner, isReachable, findServiceUser } from '../../local-services/file-permissions';
import { withDirectConnection } from '../../platform/database/driver/direct-connection';
import { BackupError } from '../storage/backup-store';
import { findServerPrograms } from './postgres-tools';

/** Name of a cluster's folder, with the id of the process that made it. */
const FOLDER_NAME = /^gigvault-scratch-(\d+)-/;

/** The folders of this process. */
const ownFolders = new Set<string>();

const SERVER_IDENTITY = `SELECT system_identifier::text AS id FROM pg_control_system()`;

/**
 * A PostgreSQL server for test restores of backups. Either temporary, on 127.0.0.1 with a random password, or one that
 * the operator provides.
 */
export class ScratchCluster {
  private constructor(
    private readonly buildUrl: (database: string) => string,
    private readonly dispose: () => Promise<void>,
  ) {}

  /**
   * Starts a cluster, or uses the operator's server.
   * @param major version of the server whose backups are restored
   * @param url BACKUP_SCRATCH_URL
   * @param source any login of the server with the data, which must be another server
   * @throws BackupError when no PostgreSQL can be started, or `url` is the server with the data
   */
  static async open(major: number, url: string | undefined, source: string): Promise<ScratchCluster> {
    if (url === undefined) return ScratchCluster.start(major);
    const readIdentity = (address: string) =>
      withDirectConnection(address, (connection) => connection.query<{ id: string }>(SERVER_IDENTITY));
    const [[scratch], [data]] = await Promise.all([readIdentity(url), readIdentity(source)]);
    if (scratch?.id === data?.id)
      throw new BackupError('BACKUP_SCRATCH_URL points to the server with the data: use another server');
    return new ScratchCluster(
      (database) => Object.assign(new URL(url), { pathname: `/${database}` }).href,
      () => Promise.resolve(),
    );
  }

  /** Starts a temporary cluster, in about a second. @throws BackupError when no PostgreSQL can be started */
  static async start(major: number): Promise<ScratchCluster> {
    await removeOrphans();
    const programs = await findPrograms(major);
    const user = findServiceUser();
    const folder = mkdtempSync(join(getBaseFolder(), `gigvault-scratch-${process.pid}-`));
    ownFolders.add(folder);
    chmodSync(folder, 0o700);
    changeOwner(user, folder);
    const password = createPassword();
    const server = new EmbeddedPostgres({
      folder: join(folder, 'postgres'),
      logFile: join(folder, 'log'),
      superuserPassword: password,
      isEphemeral: true,
      programs,
    });
    const dispose = async (): Promise<void> => {
      server.kill();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
      ownFolders.delete(folder);
    };
    try {
      await server.start();
    } catch (cause) {
      await dispose();
      throw new BackupError(`the scratch cluster could not be started: ${(cause as Error).message}`, { cause });
    }
    return new ScratchCluster((database) => server.buildUrl('postgres', password, database), dispose);
  }

  /** Runs `work` with a superuser's URL of an empty database that has the roles and extensions; drops it afterwards. */
  async withDatabase<T>(work: (url: string) => Promise<T>): Promise<T> {
    const name = `check_${randomBytes(8).toString('hex')}`;
    try {
      await bootstrapDatabase(this.buildUrl, name);
      return await work(this.buildUrl(name));
    } finally {
      // The name needs no quoting: hex digits only.
      const drop = `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`;
      await withDirectConnection(this.buildUrl('postgres'), (connection) => connection.query(drop)).catch(
        () => undefined,
      );
    }
  }

  /** Stops the cluster and removes its files. */
  close(): Promise<void> {
    return this.dispose();
  }
}

/** Returns the programs to start; undefined for those that npm installed. */
async function findPrograms(major: number): Promise<{ initdb: string; postgres: string } | undefined> {
  const native = findInstalledMajor();
  if (native === major) return undefined;
  const [server] = await findServerPrograms(major);
  if (server) return { initdb: join(server.folder, 'initdb'), postgres: join(server.folder, 'postgres') };
  if (native !== undefined && native > major) return undefined;
  throw new BackupError(
    `no PostgreSQL ${major} or later was found for the scratch cluster: install one (apt install ` +
      `postgresql-${major}; it need not run), or set BACKUP_SCRATCH_URL`,
  );
}

/** Removes the folders of killed processes and stops servers that still run in them. */
async function removeOrphans(): Promise<void> {
  for (const name of readdirSync(getBaseFolder())) {
    const pid = Number(FOLDER_NAME.exec(name)?.[1] ?? 0);
    const folder = join(getBaseFolder(), name);
    // A restarted container can have the same process id.
    if (pid === 0 || ownFolders.has(folder) || (pid !== process.pid && isAlive(pid))) continue;
    try {
      await stopOrphan(join(folder, 'postgres', 'postmaster.pid'), folder, ['SIGQUIT', 'SIGKILL']);
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // The folder belongs to another account, which removes its own.
    }
  }
}

function getBaseFolder(): string {
  return isReachable(tmpdir(), findServiceUser()) ? tmpdir() : '/tmp';
}

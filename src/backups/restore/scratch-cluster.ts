import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrapDatabase, createPassword } from '../../local-services/database-setup';
import { EmbeddedPostgres } from '../../local-services/embedded-postgres';
import { isAlive, stopOrphan } from '../../local-services/managed-process';
import { findInstalledMajor } from '../../local-services/postgres-programs';
import { changeOwner, isReachable, findServiceUser } from '../../local-services/file-permissions';
import { withDirectConnection } from '../../platform/database/driver/direct-connection';
import { BackupError } from '../storage/backup-store';
import { findServerPrograms } from './postgres-tools';

/** Folders of clusters: whose process is gone, those are rubbish. */
const FOLDER_NAME = /^gigvault-scratch-(\d+)-/;

/** The folders of this process. */
const ownFolders = new Set<string>();

const SERVER_IDENTITY = `SELECT system_identifier::text AS id FROM pg_control_system()`;

/**
 * A PostgreSQL in which backups are restored to see whether they can be: made for the occasion and thrown away, on
 * 127.0.0.1 with a password nobody knows, or one that the operator keeps for it.
 */
export class ScratchCluster {
  private constructor(
    private readonly urlOf: (database: string) => string,
    private readonly dispose: () => Promise<void>,
  ) {}

  /**
   * Starts a cluster, or takes the operator's.
   * @param major the server's whose backups are restored
   * @param url BACKUP_SCRATCH_URL
   * @param source any login of the server with the data, which must be another one
   * @throws BackupError when there is no PostgreSQL to start, or it is the server with the data
   */
  static async open(major: number, url: string | undefined, source: string): Promise<ScratchCluster> {
    if (url === undefined) return ScratchCluster.start(major);
    const identityOf = (address: string) =>
      withDirectConnection(address, (connection) => connection.query<{ id: string }>(SERVER_IDENTITY));
    const [[there], [data]] = await Promise.all([identityOf(url), identityOf(source)]);
    if (there?.id === data?.id)
      throw new BackupError('BACKUP_SCRATCH_URL is the server with the data: give it one of its own');
    return new ScratchCluster(
      (database) => Object.assign(new URL(url), { pathname: `/${database}` }).href,
      () => Promise.resolve(),
    );
  }

  /** Starts a cluster of its own, in about a second. @throws BackupError when there is no PostgreSQL to start */
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
    const end = async (): Promise<void> => {
      server.kill();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
      ownFolders.delete(folder);
    };
    try {
      await server.start();
    } catch (cause) {
      await end();
      throw new BackupError(`no cluster could be started to restore into: ${(cause as Error).message}`, { cause });
    }
    return new ScratchCluster((database) => server.buildUrl('postgres', password, database), end);
  }

  /** Gives `work` the superuser's address of an empty database with our roles and extensions, and drops it. */
  async withDatabase<T>(work: (url: string) => Promise<T>): Promise<T> {
    const name = `check_${randomBytes(8).toString('hex')}`;
    try {
      await bootstrapDatabase(this.urlOf, name);
      return await work(this.urlOf(name));
    } finally {
      // The name is our own: letters and digits.
      const drop = `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`;
      await withDirectConnection(this.urlOf('postgres'), (connection) => connection.query(drop)).catch(() => undefined);
    }
  }

  /** Ends the cluster and removes all that was in it. */
  close(): Promise<void> {
    return this.dispose();
  }
}

/** undefined: those that npm installed. */
async function findPrograms(major: number): Promise<{ initdb: string; postgres: string } | undefined> {
  const native = findInstalledMajor();
  if (native === major) return undefined;
  const [server] = await findServerPrograms(major);
  if (server) return { initdb: join(server.folder, 'initdb'), postgres: join(server.folder, 'postgres') };
  if (native !== undefined && native > major) return undefined;
  throw new BackupError(
    `no PostgreSQL ${major} or later was found to restore into: install one (apt install postgresql-${major}; it need not run), or set BACKUP_SCRATCH_URL`,
  );
}

/** Removes what processes that were killed have left, servers that still run included. */
async function removeOrphans(): Promise<void> {
  for (const name of readdirSync(getBaseFolder())) {
    const pid = Number(FOLDER_NAME.exec(name)?.[1] ?? 0);
    const folder = join(getBaseFolder(), name);
    // A container that starts again has the same process number.
    if (pid === 0 || ownFolders.has(folder) || (pid !== process.pid && isAlive(pid))) continue;
    try {
      await stopOrphan(join(folder, 'postgres', 'postmaster.pid'), folder, ['SIGQUIT', 'SIGKILL']);
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // It is another account's, who sweeps it himself.
    }
  }
}

function getBaseFolder(): string {
  return isReachable(tmpdir(), findServiceUser()) ? tmpdir() : '/tmp';
}

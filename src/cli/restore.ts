import { ConfigError, loadSettings, readContextKey, readVariables } from '../platform/config/load-config';
import { basename, dirname, resolve } from 'node:path';
import { BackupError, type BackupStore, FolderStore, parseFileName } from '../backups/storage/backup-store';
import { countRows } from '../backups/storage/backup-file';
import { readToEnd, restoreDatabase, type RestoreOptions } from '../backups/restore/restore-database';
import { createBackupStore } from '../backups/storage/s3-store';
import { backupSettings } from '../platform/config/setting-groups';
import { buildBackups } from '../platform/config/config';
import {
  buildEncryption,
  encryptionSettings,
  findEncryptionContradictions,
} from '../platform/config/encryption-settings';
import { createMasterKeys } from '../platform/encryption/kms/kms-master-keys';
import { DataFolder, OperatorError } from '../local-services/data-folder';
import { InstallationSecrets, selectKeys, shouldEmbedPostgres } from '../local-services/server-environment';
import { askForConfirmation, describeError, loadEnvironmentFile, parseOptions, print } from './command-line';
import { LauncherLock } from './launcher/launcher-lock';
import { createInstallationPostgres, DATABASE_NAME } from '../local-services/embedded-postgres';

const SETTING_NAMES = [
  ...(Object.keys(backupSettings) as (keyof typeof backupSettings)[]),
  'GIGVAULT_DATA_DIR',
  ...(Object.keys(encryptionSettings) as (keyof typeof encryptionSettings)[]),
] as const;

const USAGE = `npm run restore                        lists the backups
npm run restore -- <number|latest|file>
  --to postgres://…   target database, with a superuser's login; default: DATABASE_SUPERUSER_URL, without it the
                      embedded database, which must be stopped
  --force             replace a database that is not empty; it is kept under another name
  --yes               do not ask`;

/** The parsed command line. */
interface RestoreArguments {
  readonly backup: string | undefined;
  readonly to: string | undefined;
  readonly canReplace: boolean;
  readonly isConfirmed: boolean;
}

/** Runs `npm run restore`: replaces a database with a backup, completely or not at all. */
async function main(): Promise<void> {
  loadEnvironmentFile();
  const { values, positionals } = parseOptions({
    allowPositionals: true,
    options: {
      to: { type: 'string' },
      force: { type: 'boolean', default: false },
      yes: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help || positionals.length > 1) return print(USAGE);
  const given = readVariables(process.env);
  const restoreArguments: RestoreArguments = {
    backup: positionals[0],
    to: values.to ?? given['DATABASE_SUPERUSER_URL'],
    canReplace: values.force,
    isConfirmed: values.yes,
  };
  const folder = new DataFolder();
  // Another database has keys of its operator: no secrets are created in this data folder.
  const secrets =
    restoreArguments.to === undefined && shouldEmbedPostgres(given)
      ? InstallationSecrets.load(folder.resolve('secrets.json'))
      : undefined;
  const environment = { ...given, ...(secrets && selectKeys(given, secrets)), GIGVAULT_DATA_DIR: folder.path };
  const settings = loadSettings(SETTING_NAMES, environment);
  const store = createBackupStore(buildBackups(settings));
  if (restoreArguments.backup === undefined) return printBackups(store);
  if (!settings.ENCRYPTION_KEYS && !settings.ENCRYPTION_KEY_FILE)
    throw new OperatorError(
      'A backup needs the keys of the time it was taken: set ENCRYPTION_KEYS or ENCRYPTION_KEY_FILE.',
    );
  const contextKey = readContextKey(environment);
  if (contextKey === undefined)
    throw new OperatorError('A backup contains no key that signs contexts: set SECRET_KEY, and CONTEXT_KEY if in use.');
  const problems = findEncryptionContradictions(settings, false);
  if (problems.length > 0) throw new ConfigError(problems);
  const masterKeys = createMasterKeys({ encryption: buildEncryption(settings) });
  const source = await findSource(restoreArguments.backup, store);
  const options = { ...source, masterKeys, contextKey, canReplace: restoreArguments.canReplace };
  if (restoreArguments.to !== undefined) return restore({ ...options, target: restoreArguments.to }, restoreArguments);
  if (!secrets)
    throw new OperatorError('The target database is missing: add --to postgres://…, with the login of a superuser.');
  await withEmbeddedPostgres(folder, secrets, (target, passwords) =>
    restore({ ...options, target, passwords }, restoreArguments),
  );
}

async function restore(options: RestoreOptions, { isConfirmed }: RestoreArguments): Promise<void> {
  const { manifest } = await readToEnd(options.read(), options.masterKeys);
  const { host, pathname } = new URL(options.target);
  print(
    `Taken ${manifest.takenAt}: ${countRows(manifest)} rows of ${Object.keys(manifest.tables).length} tables, ` +
      `PostgreSQL ${manifest.serverVersion}, ${manifest.migrations.at(-1)}.`,
  );
  const question = `It replaces database ${pathname.slice(1)} of ${host}. Continue?`;
  if (!isConfirmed && !(await askForConfirmation(question, 'add --yes'))) return print('Nothing was done.');
  const { oldDatabase, migrationsRun, erasedUsers } = await restoreDatabase(options);
  print('Restored, compared with the dump, and found equal.');
  if (migrationsRun.length > 0) print(`Migrations run after the restore: ${migrationsRun.join(', ')}.`);
  if (erasedUsers.length > 0) print(`Erased again, at their request after the backup: ${erasedUsers.length} users.`);
  if (oldDatabase !== null) print(`The old database is now ${oldDatabase}; drop it when you are sure.`);
}

/** Runs `work` with the embedded PostgreSQL, under the launcher's lock. */
async function withEmbeddedPostgres(
  folder: DataFolder,
  secrets: InstallationSecrets,
  work: (target: string, passwords: RestoreOptions['passwords']) => Promise<void>,
): Promise<void> {
  const lock = await LauncherLock.acquire(folder.resolve('launcher.json'));
  const postgres = createInstallationPostgres(folder, secrets);
  const { passwords } = secrets.values;
  try {
    await postgres.start();
    await work(postgres.buildUrl('postgres', passwords.superuser, DATABASE_NAME), passwords);
  } finally {
    await postgres.stop();
    lock.release();
  }
}

/** Finds the backup: a file by its path, or a file of the store by its number. */
async function findSource(
  backup: string,
  store: BackupStore,
): Promise<Pick<RestoreOptions, 'read' | 'store' | 'others'>> {
  const isFile = !/^\d+$|^latest$/.test(backup);
  const source = isFile ? new FolderStore(dirname(resolve(backup))) : store;
  const others = await source.list().catch(() => []);
  const name = isFile
    ? basename(backup)
    : others.find((file) => backup === 'latest' || parseFileName(file)?.id === Number(backup));
  if (name === undefined) throw new BackupError(`there is no backup ${backup}; npm run restore lists them`);
  return { read: () => source.read(name), store: source, others };
}

async function printBackups(store: BackupStore): Promise<void> {
  const names = await store.list();
  for (const name of names)
    print(`${String(parseFileName(name)?.id).padStart(6)}  ${parseFileName(name)?.takenAt.toISOString()}  ${name}`);
  print(names.length === 0 ? 'There is no backup in the configured store.' : `\n${USAGE}`);
}

main().catch((error: unknown) => {
  const text = error instanceof BackupError ? error.message : describeError(error);
  process.stderr.write(`\nNothing was changed: ${text}\n`);
  process.exitCode = 1;
});

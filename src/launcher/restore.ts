import { removeClientVariables } from '../platform/config/client-variables';
import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { BackupError } from '../backups/backup-error';
import { readFileName, type BackupStore } from '../backups/backup-store';
import { FolderStore } from '../backups/folder-store';
import { rowsIn } from '../backups/manifest';
import { readWhole, restoreDatabase, type RestoreOptions } from '../backups/restore-database';
import { storeOf } from '../backups/store-of';
import { backupSettings } from '../platform/config/backup-settings';
import { backupsOf, encryptionOf } from '../platform/config/config';
import { ConfigError, loadSettings } from '../platform/config/load-config';
import { LocalMasterKeys } from '../platform/encryption/local-master-keys';
import { DataFolder } from './data-folder';
import { serverEnvironment, wantsEmbeddedPostgres } from './environment';
import { DATABASE, installationPostgres } from './installation-postgres';
import { LaunchError } from './launch-error';
import { LauncherLock } from './launcher-lock';
import { projectRoot } from './project-root';
import { Secrets } from './secrets';

const SETTINGS = [
  ...(Object.keys(backupSettings) as (keyof typeof backupSettings)[]),
  'GIGVAULT_DATA_DIR',
  'ENCRYPTION_KEYS',
  'ENCRYPTION_KEY_FILE',
] as const;

const USAGE = `npm run restore                        lists the backups
npm run restore -- <number|latest|file>
  --to postgres://…   database it becomes, by a superuser's login; DATABASE_SUPERUSER_URL when left out,
                      and without that the embedded one, which must be stopped
  --force             also where the database holds something: that is kept under another name
  --yes               without asking`;

/** What the command was asked. */
interface Wish {
  readonly backup: string | undefined;
  readonly to: string | undefined;
  readonly isForced: boolean;
  readonly isSure: boolean;
}

/** Is `npm run restore`: puts a backup in the place of a database, whole or not at all. */
async function main(): Promise<void> {
  const envFile = join(projectRoot(), '.env');
  if (existsSync(envFile)) process.loadEnvFile(envFile);
  removeClientVariables();
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      to: { type: 'string' },
      force: { type: 'boolean', default: false },
      yes: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help || positionals.length > 1) return say(USAGE);
  const wish: Wish = {
    backup: positionals[0],
    to: values.to ?? process.env['DATABASE_SUPERUSER_URL'],
    isForced: values.force,
    isSure: values.yes,
  };
  const folder = new DataFolder();
  // Where another database is meant, its keys are the operator's, and nothing is made for an installation here.
  const secrets =
    wish.to === undefined && wantsEmbeddedPostgres(process.env) ? Secrets.load(folder.at('secrets.json')) : undefined;
  const settings = loadSettings(SETTINGS, environmentOf(folder, secrets));
  const store = storeOf(backupsOf(settings));
  if (wish.backup === undefined) return list(store);
  if (!settings.ENCRYPTION_KEYS && !settings.ENCRYPTION_KEY_FILE)
    throw new LaunchError(
      'A backup opens with the keys of its time only: give ENCRYPTION_KEYS or ENCRYPTION_KEY_FILE.',
    );
  const masterKeys = new LocalMasterKeys({ encryption: encryptionOf(settings) });
  const source = await sourceOf(wish.backup, store);
  const options = { ...source, masterKeys, isForced: wish.isForced };
  if (wish.to !== undefined) return restore({ ...options, target: wish.to }, wish);
  if (!secrets)
    throw new LaunchError('Say which database the backup becomes: --to postgres://…, the login of a superuser.');
  await intoEmbedded(folder, secrets, (target, passwords) => restore({ ...options, target, passwords }, wish));
}

async function restore(options: RestoreOptions, { isSure }: Wish): Promise<void> {
  const { manifest } = await readWhole(options.read(), options.masterKeys);
  const { host, pathname } = new URL(options.target);
  say(
    `Taken ${manifest.takenAt}: ${rowsIn(manifest)} rows of ${Object.keys(manifest.tables).length} tables, PostgreSQL ${manifest.serverVersion}, ${manifest.migrations.at(-1)}.`,
  );
  if (!isSure && !(await agrees(`It becomes the database ${pathname.slice(1)} of ${host}. Go on?`)))
    return say('Nothing was done.');
  const { keptAs, migrationsRun, erasedAgain } = await restoreDatabase(options);
  say('Restored, compared with what was dumped, and found equal.');
  if (migrationsRun.length > 0) say(`Migrations run since: ${migrationsRun.join(', ')}.`);
  if (erasedAgain.length > 0) say(`Erased again, for they had asked for it since: ${erasedAgain.length} users.`);
  if (keptAs !== null) say(`What was there is now the database ${keptAs}; drop it when you are sure.`);
}

/** Takes the place of the launcher for as long as it lasts. */
async function intoEmbedded(
  folder: DataFolder,
  secrets: Secrets,
  work: (target: string, passwords: RestoreOptions['passwords']) => Promise<void>,
): Promise<void> {
  const lock = await LauncherLock.take(folder.at('launcher.json'));
  const postgres = installationPostgres(folder, secrets);
  const { passwords } = secrets.values;
  try {
    await postgres.start();
    await work(postgres.url('postgres', passwords.superuser, DATABASE), passwords);
  } finally {
    await postgres.stop();
    lock.release();
  }
}

function environmentOf(folder: DataFolder, secrets: Secrets | undefined): NodeJS.ProcessEnv {
  const { ENCRYPTION_KEYS, ENCRYPTION_KEY_FILE } = secrets
    ? serverEnvironment(process.env, {
        secrets,
        dataFolder: folder.path,
        port: undefined,
        postgres: NO_URLS,
        redis: undefined,
      })
    : process.env;
  return { ...process.env, GIGVAULT_DATA_DIR: folder.path, ENCRYPTION_KEYS, ENCRYPTION_KEY_FILE };
}

/** Only the keys are wanted of the environment. */
const NO_URLS = { app: '', auth: '', worker: '', admin: '', owner: '', backup: '', monitor: '' };

/** A file by its path, or one of the store by the number of its backup. */
async function sourceOf(
  backup: string,
  store: BackupStore,
): Promise<Pick<RestoreOptions, 'read' | 'store' | 'others'>> {
  const isFile = !/^\d+$|^latest$/.test(backup);
  const place = isFile ? new FolderStore(dirname(resolve(backup))) : store;
  const others = await place.list().catch(() => []);
  const name = isFile
    ? basename(backup)
    : others.find((file) => backup === 'latest' || readFileName(file)?.id === Number(backup));
  if (name === undefined) throw new BackupError(`there is no backup ${backup}; npm run restore lists them`);
  return { read: () => place.read(name), store: place, others };
}

async function list(store: BackupStore): Promise<void> {
  const names = await store.list();
  for (const name of names)
    say(`${String(readFileName(name)?.id).padStart(6)}  ${readFileName(name)?.takenAt.toISOString()}  ${name}`);
  say(names.length === 0 ? 'There is no backup where the settings want them.' : `\n${USAGE}`);
}

async function agrees(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new LaunchError('Nobody can be asked here: say --yes.');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [yes/no] `)).trim());
  } finally {
    terminal.close();
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

main().catch((error: unknown) => {
  const isForPeople = [LaunchError, ConfigError, BackupError].some((kind) => error instanceof kind);
  const text = isForPeople ? (error as Error).message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`\nNothing was changed. ${text}\n`);
  process.exitCode = 1;
});

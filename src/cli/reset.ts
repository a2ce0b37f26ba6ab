import { readVariables } from '../platform/config/load-config';
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DataFolder, findDataFolder, OperatorError } from '../local-services/data-folder';
import { InstallationSecrets, shouldEmbedPostgres } from '../local-services/server-environment';
import { askForConfirmation, describeError, loadEnvironmentFile, parseOptions, print } from './command-line';
import { LauncherLock } from './launcher/launcher-lock';

/**
 * What an installation stores in its data folder. Other files of the folder stay. The secrets are last: they name the
 * folder of the services, which an interrupted reset must still find.
 */
const ENTRIES = [
  'postgres',
  'postgres.new',
  'initdb-password',
  'redis',
  'backups',
  'logs',
  'demo.json',
  'services.json',
  'encryption-keys.json',
  'secrets.json',
] as const;

const USAGE = `Usage: npm run reset [-- --yes]

Removes the embedded database, its keys, and local backups, after a question; --yes does not ask.`;

/** Runs `npm run reset [-- --yes]`: removes the embedded installation with its database, keys and local backups. */
async function main(): Promise<void> {
  loadEnvironmentFile();
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseOptions({ options: { yes: flag, help: { ...flag, short: 'h' } } });
  if (values.help) return print(USAGE);
  if (!shouldEmbedPostgres(readVariables(process.env)))
    throw new OperatorError('DATABASE_URL is set, and only embedded data can be reset. Drop that database yourself.');
  const path = findDataFolder();
  if (!existsSync(join(path, 'secrets.json'))) return print(`Nothing to remove: ${path} contains no installation.`);
  const folder = new DataFolder();
  const lock = await LauncherLock.acquire(folder.resolve('launcher.json'));
  try {
    const entries = findEntries(folder);
    print(
      `This removes the database, its keys, and local backups:\n${entries.map((entry) => `  ${entry}`).join('\n')}`,
    );
    if (!values.yes && !(await askForConfirmation('Remove them?', 'run `npm run reset -- --yes`')))
      return print('Nothing was removed.');
    for (const entry of entries) rmSync(entry, { recursive: true, force: true });
  } finally {
    lock.release();
  }
  print(`Removed.${removeIfEmpty(path)}`);
}

/** Returns the existing files and folders of an installation, in the order of their removal. */
function findEntries(folder: DataFolder): string[] {
  const { servicesName } = InstallationSecrets.load(folder.resolve('secrets.json')).values;
  const services = folder.createServicesFolder(servicesName);
  const own = ENTRIES.map((name) => folder.resolve(name)).filter((entry) => existsSync(entry));
  return services === folder.path ? own : [services, ...own];
}

/** Removes the folder unless it has other files. Returns a sentence about those. */
function removeIfEmpty(path: string): string {
  const others = readdirSync(path);
  if (others.length > 0) return ` Other files stay in ${path}: ${others.join(', ')}.`;
  rmdirSync(path);
  return '';
}

main().catch((error: unknown) => {
  process.stderr.write(`Nothing was removed. ${describeError(error)}\n`);
  process.exitCode = 1;
});

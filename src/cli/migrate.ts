import { readContextKey, readVariables } from '../platform/config/load-config';
import { DataFolder } from '../local-services/data-folder';
import { revertLatestMigration, runMigrations, storeContextKeys, withCommands } from '../local-services/database-setup';
import { InstallationSecrets, selectKeys, ServicesFile } from '../local-services/server-environment';
import { findPrimaryUrl } from '../platform/database/driver/primary-host';
import { loadEnvironmentFile } from './command-line';
import { readHosts } from './launcher/external-services';
import { reportMigrations } from './launcher/source-reloader';

/**
 * Runs `npm run migrate` and, with --revert, `npm run migrate:revert`: on DATABASE_MIGRATION_URL or the embedded
 * database.
 */
async function main(): Promise<string> {
  loadEnvironmentFile();
  const env = readVariables(process.env);
  const given = env['DATABASE_MIGRATION_URL'];
  if (given) return run(await findPrimaryUrl(given, readHosts(env)), env);
  const folder = new DataFolder();
  const url = new ServicesFile(folder.resolve('services.json')).read()?.postgres?.owner;
  if (url === undefined) throw new Error('Set DATABASE_MIGRATION_URL, or start Gigvault here first (npm start).');
  const secrets = InstallationSecrets.load(folder.resolve('secrets.json'));
  return run(url, selectKeys(env, secrets)).catch((error: unknown) => {
    throw withCommands(error, folder.path, folder.createServicesFolder(secrets.values.servicesName));
  });
}

async function run(url: string, env: NodeJS.ProcessEnv): Promise<string> {
  if (process.argv.includes('--revert')) {
    await revertLatestMigration(url);
    return 'The newest migration was reverted.';
  }
  const contextKey = readContextKey(env);
  const names = await runMigrations(url);
  const keys = await storeKeys(url, contextKey);
  if (names.length === 0) return `No migration is pending.\n${keys}`;
  reportMigrations();
  return `Done:\n  ${names.join('\n  ')}\n${keys}`;
}

/** Stores the keys of signed contexts, when there is a root of them, and returns a line about it. */
async function storeKeys(url: string, contextKey: Buffer | undefined): Promise<string> {
  if (contextKey === undefined)
    return 'No key of signed contexts was stored: set SECRET_KEY and, if in use, CONTEXT_KEY as the servers do.';
  await storeContextKeys(url, contextKey);
  return 'The keys of signed contexts are stored.';
}

main().then(
  (text) => process.stdout.write(`${text}\n`),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);

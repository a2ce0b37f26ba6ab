import '../platform/config/client-variables';
import { DataFolder } from './data-folder';
import { migrate, revertLatest } from './migrations';
import { Secrets } from './secrets';
import { ServicesFile } from './services-file';
import { withCommands } from './unknown-schema';

/** Runs `npm run migrate`, or `npm run migrate:revert` with --revert, on DATABASE_MIGRATION_URL or what runs here. */
async function main(): Promise<string> {
  const given = process.env['DATABASE_MIGRATION_URL'];
  if (given) return run(given);
  const folder = new DataFolder();
  const url = new ServicesFile(folder.at('services.json')).read()?.postgres?.owner;
  if (url === undefined) throw new Error('Set DATABASE_MIGRATION_URL, or start Gigvault here first (npm start).');
  const { servicesName } = Secrets.load(folder.at('secrets.json')).values;
  return run(url).catch((error: unknown) => {
    throw withCommands(error, folder.path, folder.servicesFolder(servicesName));
  });
}

async function run(url: string): Promise<string> {
  if (process.argv.includes('--revert')) {
    await revertLatest(url);
    return 'The newest migration is undone.';
  }
  const names = await migrate(url);
  return names.length > 0 ? `Done:\n  ${names.join('\n  ')}` : 'Nothing to do: no migration is pending.';
}

main().then(
  (text) => process.stdout.write(`${text}\n`),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);

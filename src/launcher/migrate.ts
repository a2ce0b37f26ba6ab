import '../platform/config/client-variables';
import { DataFolder } from './data-folder';
import { migrate, revertLatest } from './migrations';
import { ServicesFile } from './services-file';

/** Is `npm run migrate`, and with --revert `npm run migrate:revert`: on DATABASE_MIGRATION_URL, else on what runs here. */
async function main(): Promise<string> {
  const url = process.env['DATABASE_MIGRATION_URL'] || runningUrl();
  if (url === undefined) throw new Error('Set DATABASE_MIGRATION_URL, or start Gigvault here first (npm start).');
  if (process.argv.includes('--revert')) {
    await revertLatest(url);
    return 'The newest migration is undone.';
  }
  const names = await migrate(url);
  return names.length > 0 ? `Done:\n  ${names.join('\n  ')}` : 'Nothing to do: no migration is pending.';
}

function runningUrl(): string | undefined {
  return new ServicesFile(new DataFolder().at('services.json')).read()?.postgres?.owner;
}

main().then(
  (text) => process.stdout.write(`${text}\n`),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);

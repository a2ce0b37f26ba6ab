import '../../platform/config/load-config';
import { OperatorError } from '../../local-services/data-folder';
import { runMigrations } from '../../local-services/database-setup';
import { loadSettings } from '../../platform/config/load-config';

/**
 * Runs the pending migrations in a process of their own, which has the login gigvault_migrator and no other setting.
 * The launcher starts it, not as root, and shows its output when it fails.
 */
async function main(): Promise<string> {
  const { DATABASE_MIGRATION_URL: url } = loadSettings(['DATABASE_MIGRATION_URL']);
  const names = await runMigrations(url);
  return names.map((name) => `${name} has run.`).join('\n');
}

/** Returns the text of an error; the operator can solve an OperatorError without a stack trace. */
function describe(error: unknown): string {
  if (error instanceof OperatorError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

main().then(
  (text) => process.stdout.write(`${text}\n`),
  (error: unknown) => {
    process.stderr.write(`${describe(error)}\n`);
    process.exitCode = 1;
  },
);

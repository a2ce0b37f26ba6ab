import { readContextKey, readVariables } from '../platform/config/load-config';
import {
  bootstrapDatabase,
  LOGIN_ROLES,
  type Role,
  runMigrations,
  storeContextKeys,
} from '../local-services/database-setup';
import { findPrimaryUrl } from '../platform/database/driver/primary-host';
import { loadEnvironmentFile } from './command-line';
import { readHosts } from './launcher/external-services';

/**
 * Prepares a database that is not embedded; the one-shot service of the compose file. Runs bootstrap.sql as
 * DATABASE_SUPERUSER_URL, with the passwords of the logins' URLs, then the migrations, and stores the keys of
 * signed contexts. It can be repeated.
 */
async function main(): Promise<void> {
  loadEnvironmentFile();
  const contextKey = readContextKey(process.env);
  if (contextKey === undefined) throw new Error('SECRET_KEY: required, to store the keys that sign contexts');
  const hosts = readHosts(readVariables(process.env));
  const superuser = new URL(await findPrimaryUrl(readRequiredUrl('DATABASE_SUPERUSER_URL'), hosts));
  const urlOf = (name: string): string => Object.assign(new URL(superuser), { pathname: `/${name}` }).href;
  const passwords = Object.fromEntries(LOGIN_ROLES.map((role) => [role, readPassword(getUrlVariable(role))]));
  await bootstrapDatabase(urlOf, superuser.pathname.slice(1), passwords as Record<Role, string>);
  const migrationUrl = await findPrimaryUrl(readRequiredUrl('DATABASE_MIGRATION_URL'), hosts);
  await runMigrations(migrationUrl);
  await storeContextKeys(migrationUrl, contextKey);
}

function getUrlVariable(role: Role): string {
  if (role === 'app') return 'DATABASE_URL';
  return role === 'migrator' ? 'DATABASE_MIGRATION_URL' : `DATABASE_${role.toUpperCase()}_URL`;
}

function readPassword(variable: string): string {
  return decodeURIComponent(new URL(readRequiredUrl(variable)).password);
}

function readRequiredUrl(variable: string): string {
  const value = readVariables(process.env)[variable];
  if (!value || !URL.canParse(value)) throw new Error(`${variable}: must be a URL`);
  return value;
}

main().then(
  () => process.stdout.write('The database is prepared.\n'),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);

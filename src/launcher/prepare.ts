import '../platform/config/client-variables';
import { bootstrapDatabase } from './bootstrap';
import { migrate } from './migrations';
import { LOGIN_ROLES, type Role } from './roles';

/**
 * Prepares a database that is not embedded, as the compose file's one-shot: bootstrap.sql as DATABASE_SUPERUSER_URL,
 * with the logins' passwords taken from their URLs, then the migrations. May be run any number of times.
 */
async function main(): Promise<void> {
  const superuser = new URL(required('DATABASE_SUPERUSER_URL'));
  const urlOf = (name: string): string => Object.assign(new URL(superuser), { pathname: `/${name}` }).href;
  const passwords = Object.fromEntries(LOGIN_ROLES.map((role) => [role, passwordIn(variableOf(role))]));
  await bootstrapDatabase(urlOf, superuser.pathname.slice(1), passwords as Record<Role, string>);
  await migrate(required('DATABASE_MIGRATION_URL'));
}

function variableOf(role: Role): string {
  if (role === 'app') return 'DATABASE_URL';
  return role === 'migrator' ? 'DATABASE_MIGRATION_URL' : `DATABASE_${role.toUpperCase()}_URL`;
}

function passwordIn(variable: string): string {
  return decodeURIComponent(new URL(required(variable)).password);
}

function required(variable: string): string {
  const value = process.env[variable];
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

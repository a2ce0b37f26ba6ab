import { randomBytes } from 'node:crypto';

/** Are the login roles of docker/postgres/bootstrap.sql, by the name people use for them. */
export const LOGINS = {
  migrator: 'gigvault_migrator',
  app: 'gigvault_app',
  auth: 'gigvault_auth',
  worker: 'gigvault_worker',
  admin: 'gigvault_admin',
  backup: 'gigvault_backup',
  monitor: 'gigvault_monitor',
} as const;

/** Is a login role of ours, or `superuser`, the cluster's own `postgres`. */
export type Role = keyof typeof LOGINS | 'superuser';

/** Are the roles bootstrap.sql makes. */
export const LOGIN_ROLES = Object.keys(LOGINS) as (keyof typeof LOGINS)[];

/** Every role there is a password for. */
export const ROLES: readonly Role[] = ['superuser', ...LOGIN_ROLES];

/** Returns a fresh random password for each role. */
export function newPasswords(): Record<Role, string> {
  return Object.fromEntries(ROLES.map((role) => [role, newPassword()])) as Record<Role, string>;
}

/** Returns 192 random bits in letters that need no escape in a URL, a connection string or a config file. */
export function newPassword(): string {
  return randomBytes(24).toString('base64url');
}

/** Returns the login name of a role. */
export function loginOf(role: Role): string {
  return role === 'superuser' ? 'postgres' : LOGINS[role];
}

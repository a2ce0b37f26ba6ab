import { rmSync } from 'node:fs';
import { readJsonFile, writePrivateFile } from './private-file';
import { LOGIN_ROLES, LOGINS, type Role } from './roles';

/** The name a role's URL has in the file: `owner` is the migration login, which acts as the tables' owner. */
export type ServiceRole = Exclude<Role, 'migrator'> | 'owner';

/** Is what the launcher has started. */
export interface Services {
  api: string;
  postgres?: Record<ServiceRole, string>;
  redis?: string;
  /** With --fake-upwork. */
  fakeUpwork?: string;
  /** With --fake-ai. */
  fakeAi?: string;
  pids: Record<string, number>;
}

/** Is `services.json`, readable by its owner only: there while the launcher runs, removed at a clean stop. */
export class ServicesFile {
  constructor(readonly path: string) {}

  /** Replaces the file. */
  write(services: Services): void {
    writePrivateFile(this.path, `${JSON.stringify(services, null, 2)}\n`);
  }

  /** Returns its content, or undefined when nothing runs. */
  read(): Services | undefined {
    return readJsonFile<Services>(this.path);
  }

  /** Removes the file, if there is one. */
  remove(): void {
    rmSync(this.path, { force: true });
  }
}

/** Returns the URLs by role, made by `urlOf(login, role)`. */
export function roleUrls(urlOf: (login: string, role: Role) => string): Record<ServiceRole, string> {
  const entries = LOGIN_ROLES.map((role) => [role === 'migrator' ? 'owner' : role, urlOf(LOGINS[role], role)]);
  return Object.fromEntries([['superuser', urlOf('postgres', 'superuser')], ...entries]) as Record<ServiceRole, string>;
}

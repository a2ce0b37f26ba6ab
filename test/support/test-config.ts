import { type Config } from '../../src/platform/config/config';
import { loadConfig } from '../../src/platform/config/load-config';

const KEY = Buffer.alloc(32, 7).toString('base64');

/** Builds valid settings, for tests of code that needs a configuration and no services. */
export function buildTestEnvironment(changes: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const roles = ['', 'AUTH_', 'WORKER_', 'ADMIN_', 'MIGRATION_', 'BACKUP_', 'MONITOR_'];
  const urls = roles.map((role) => [`DATABASE_${role}URL`, 'postgres://login:secret@127.0.0.1:1/gigvault']);
  return {
    ...Object.fromEntries(urls),
    NODE_ENV: 'test',
    REDIS_URL: 'redis://127.0.0.1:1',
    SECRET_KEY: KEY,
    ENCRYPTION_KEYS: `k1:${KEY}`,
    ...changes,
  };
}

/** Builds the configuration of `buildTestEnvironment`. */
export function buildTestConfig(changes: NodeJS.ProcessEnv = {}): Config {
  return loadConfig(buildTestEnvironment(changes));
}

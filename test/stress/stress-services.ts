import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import type { Role } from '../../src/local-services/database-setup';
import { ContextSigner } from '../../src/platform/database/context-signer';
import { BenchServices, buildProductionSettings } from '../bench/services';
import { createTestDatabase, type TestDatabase } from '../support/test-database';
import { createTestRedisUrl } from '../support/test-redis';
import { hasTestServices, testServices } from '../support/test-services';

/** A PostgreSQL with the migrated database of the product, and a Redis, for one scenario. */
export interface StressServices {
  start(): Promise<void>;
  /** Returns a connection URL of the role. */
  buildUrl(role: Role): string;
  /** The environment of a server in production mode; rate limits are off, and only warnings are logged. */
  buildEnvironment(): Record<string, string>;
  /** Signs contexts like the API. */
  readonly signer: ContextSigner;
  /** Removes the data. */
  stop(): Promise<void>;
}

/** Starts services for a scenario, durable as in production; within Jest it uses a database of the test run. */
export function createStressServices(): StressServices {
  return hasTestServices() ? new TestRunServices() : new BenchServices();
}

class TestRunServices implements StressServices {
  private readonly keys = {
    SECRET_KEY: randomBytes(32).toString('base64'),
    CONTEXT_KEY: testServices().contextKey,
    ENCRYPTION_KEYS: `stress:${randomBytes(32).toString('base64')}`,
  };
  readonly signer = new ContextSigner(Buffer.from(this.keys.CONTEXT_KEY, 'base64'), 'gigvault_app');
  private database: TestDatabase | undefined;
  private redisUrl = '';

  async start(): Promise<void> {
    [this.database, this.redisUrl] = await Promise.all([createTestDatabase(), createTestRedisUrl()]);
  }

  buildUrl(role: Role): string {
    return this.database!.urls[role];
  }

  buildEnvironment(): Record<string, string> {
    const folder = join(tmpdir(), `gigvault-stress-${this.database!.name}`);
    return {
      ...buildProductionSettings((role) => this.buildUrl(role), this.redisUrl),
      ...this.keys,
      // Small scenarios check no times, and the machine may be busy.
      DATABASE_CONNECT_TIMEOUT_MS: '60000',
      GIGVAULT_DATA_DIR: folder,
    };
  }

  async stop(): Promise<void> {
    await this.database?.end();
  }
}

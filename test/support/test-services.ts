import type { Role } from '../../src/local-services/database-setup';

/** The services of this run, which global setup announces to the test files. */
export interface TestServices {
  postgres: { port: number; passwords: Record<Role, string> };
  redis: string;
  /** The root of the keys that sign contexts, in base64; all test databases know them. */
  contextKey: string;
}

const VARIABLE = 'GIGVAULT_TEST_SERVICES';

/** The template of every test database: bootstrapped, migrated and empty. */
export const TEMPLATE_DATABASE = 'gigvault_template';

/** Announces the services to the test files, whose processes start later. */
export function announceServices(services: TestServices): void {
  process.env[VARIABLE] = JSON.stringify(services);
}

/** Returns whether this process belongs to a test run that has services. */
export function hasTestServices(): boolean {
  return process.env[VARIABLE] !== undefined;
}

/**
 * Returns the services of this run.
 * @throws Error in a run of unit tests only (every pattern in src/), which starts none
 */
export function testServices(): TestServices {
  const text = process.env[VARIABLE];
  if (text === undefined)
    throw new Error('No services in this run: it asked for files in src/ only. Move this test to test/.');
  return JSON.parse(text) as TestServices;
}

/** Returns a connection URL of the test cluster. */
export function buildTestUrl(
  { port, passwords }: TestServices['postgres'],
  role: Role,
  login: string,
  database: string,
): string {
  return `postgresql://${login}:${passwords[role]}@127.0.0.1:${port}/${database}`;
}

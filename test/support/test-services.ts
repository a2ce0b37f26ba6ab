import type { Role } from '../../src/local-services/database-setup';

/** Is what global setup tells the test files about the services of this run. */
export interface TestServices {
  postgres: { port: number; passwords: Record<Role, string> };
  redis: string;
}

const VARIABLE = 'GIGVAULT_TEST_SERVICES';

/** Is the database every test database is cloned from: bootstrapped and migrated, nothing in it. */
export const TEMPLATE_DATABASE = 'gigvault_template';

/** Tells the test files, which run in processes started later, where the services are. */
export function announceServices(services: TestServices): void {
  process.env[VARIABLE] = JSON.stringify(services);
}

/** Says whether this process belongs to a test run that has services. */
export function hasTestServices(): boolean {
  return process.env[VARIABLE] !== undefined;
}

/**
 * Returns where the services of this run are.
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

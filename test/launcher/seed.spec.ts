import { withClient } from '../../src/local-services/database-setup';
import { CommandInstallation } from '../support/command-installation';

/** The tables that the command fills, with the number of rows it creates. */
const EXPECTED_ROWS = {
  users: 4,
  jobs: 500,
  proposals: 36,
  messages: 60,
  templates: 9,
  saved_searches: 4,
  webhooks: 1,
  profiles: 3,
};

/** Ends a test that hangs; each test starts an installation. */
const LIMIT_MS = 600_000;

describe('npm run seed', () => {
  const installation = new CommandInstallation();
  afterEach(() => installation.stop());
  afterAll(() => installation.remove());

  /** Returns the number of rows and of audited inserts of each table, and of all audit rows. */
  async function readCounts(): Promise<{
    rows: Record<string, number>;
    inserts: Record<string, number>;
    audit: number;
  }> {
    return withClient(installation.readServices().postgres!.superuser, async (client) => {
      const count = async (sql: string): Promise<number> =>
        Number((await client.query<{ count: string }>(sql)).rows[0]!.count);
      const rows: Record<string, number> = {};
      const inserts: Record<string, number> = {};
      for (const table of Object.keys(EXPECTED_ROWS)) {
        rows[table] = await count(`SELECT count(*) FROM ${table}`);
        inserts[table] = await count(
          `SELECT count(*) FROM audit_logs WHERE table_name = '${table}' AND action = 'INSERT'`,
        );
      }
      return { rows, inserts, audit: await count('SELECT count(*) FROM audit_logs') };
    });
  }

  it(
    'fills a running installation with the same rows each time, one audit row for each',
    async () => {
      await installation.start();

      const first = await installation.run('dist/src/demo/seed.js');
      const filled = await readCounts();
      const second = await installation.run('dist/src/demo/seed.js');
      const repeated = await readCounts();
      const statuses = await withClient(installation.readServices().postgres!.superuser, (client) =>
        client.query<{ status: string }>('SELECT DISTINCT status FROM proposals ORDER BY status'),
      );

      expect([first.output, first.code]).toEqual([expect.stringContaining('olena@seed.example.org'), 0]);
      expect(first.output).toContain(`${installation.readServices().api}/docs`);
      // The installation itself has created its first admin.
      expect(filled.rows).toEqual({ ...EXPECTED_ROWS, users: EXPECTED_ROWS.users + 1 });
      expect(filled.inserts).toEqual(filled.rows);
      expect(second.code).toBe(0);
      expect(repeated).toEqual(filled);
      expect(statuses.rows.map(({ status }) => status)).toEqual([
        'accepted',
        'archived',
        'draft',
        'rejected',
        'submitted',
        'withdrawn',
      ]);
    },
    LIMIT_MS,
  );

  it(
    'starts and stops the installation when none runs',
    async () => {
      const { code, output } = await installation.run('dist/src/demo/seed.js');

      expect(code).toBe(0);
      expect(output).toContain('Priya: 40 jobs, 6 proposals');
      expect(installation.isRunning()).toBe(false);
    },
    LIMIT_MS,
  );

  it('refuses production with a sentence', async () => {
    const { code, output } = await installation.run('dist/src/demo/seed.js', [], { NODE_ENV: 'production' });

    expect(code).toBe(1);
    expect(output).toContain('fills development installations only: NODE_ENV is production.');
    expect(output).not.toMatch(/^ +at /m);
  });
});

import { DataSource } from 'typeorm';
import { Database } from '../../src/platform/database/database';
import { statementName } from '../../src/platform/database/driver/statement-names';
import { createSignedInCaller } from '../support/accounts';
import { insertJob } from '../support/factories/job.factory';
import { runAsUser } from '../support/run-as-user';
import { startApp, type TestApp } from '../support/test-app';

const TITLES = 'SELECT title FROM jobs ORDER BY id';
const LEFT_BEHIND = `SELECT set_config('my.loot', string_agg(title, ','), false) AS title FROM jobs`;

/** SQL that stays on a pooled connection runs in the request of the next user, with their context. */
describe('statements that SQL of one request leaves on a pooled connection', () => {
  let app: TestApp;
  let bob: number;

  beforeAll(async () => {
    // One connection, so that the next request uses the one with the prepared statement.
    app = await startApp({ settings: { DATABASE_POOL_SIZE: '1' } });
    bob = (await createSignedInCaller(app)).id;
    await insertJob(app.db, bob);
  });
  beforeEach(() => readTitles());
  afterEach(() => replaceConnection());
  afterAll(() => app.close());

  const readTitles = (): Promise<unknown> => runAsUser(bob, () => app.get(Database).query(TITLES));

  /** Runs SQL of an attacker on the pooled connection. */
  const inject = (sql: string): Promise<unknown> => app.get(DataSource).query(sql);

  /** Closes the connection by a request whose statement is gone. The next test starts with a new one. */
  async function replaceConnection(): Promise<void> {
    await readTitles();
    await inject('DEALLOCATE ALL');
    await expect(readTitles()).rejects.toMatchObject({ code: '26000' });
  }

  it('cannot take the name of a statement of the server, because nothing lists the names', async () => {
    await expect(inject('SELECT name FROM pg_prepared_statements')).rejects.toMatchObject({
      driverError: { code: '42501' },
    });
    for (const guess of ['gv1', 'gv2', 'gigvault_check', 's1']) await inject(`PREPARE ${guess} AS ${LEFT_BEHIND}`);

    expect(await readTitles()).toEqual([{ title: 'A job' }]);
    expect(await inject(`SELECT current_setting('my.loot', true) AS loot`)).toEqual([{ loot: null }]);
  });

  it('would see the rows of the next user under a known name, so names are random in each process', async () => {
    const name = statementName(TITLES)!;
    expect(name).toMatch(/^gv_[\w-]{16}_\d+$/);
    await inject(`DEALLOCATE "${name}"`);
    await inject(`PREPARE "${name}" AS ${LEFT_BEHIND}`);
    await readTitles();

    expect(await inject(`SELECT current_setting('my.loot', true) AS loot`)).toEqual([{ loot: 'A job' }]);
  });

  it('that removes all statements fails one request, and the next one uses a new connection', async () => {
    await inject('DEALLOCATE ALL');

    await expect(readTitles()).rejects.toMatchObject({ code: '26000' });
    expect(await readTitles()).toEqual([{ title: 'A job' }]);
  });

  it('that is written in front of another cannot run: the server sends one statement at a time', async () => {
    const injected = runAsUser(bob, () => app.get(Database).query(`SELECT 1; PREPARE gv1 AS ${LEFT_BEHIND}`));

    await expect(injected).rejects.toMatchObject({ code: '42601' });
  });

  it.each([
    [`query_to_xml('DEALLOCATE ALL', true, false, '')`, '0A000'],
    [`cursor_to_xml('c', 1, true, false, '')`, '34000'],
    [`ts_stat('DEALLOCATE ALL')`, '42P11'],
    [`ts_rewrite('a', 'DEALLOCATE ALL')`, '42P11'],
  ])('cannot run by a function in an expression: %s', async (expression, code) => {
    await expect(inject(`SELECT * FROM ${expression}`)).rejects.toMatchObject({ driverError: { code } });
  });
});

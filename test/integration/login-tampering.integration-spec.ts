import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import {
  bootstrapDatabase,
  createPasswords,
  getLogin,
  type LOGINS,
  runMigrations,
  withClient,
} from '../../src/local-services/database-setup';
import { EmbeddedPostgres } from '../../src/local-services/embedded-postgres';
import { changeOwner, findServiceUser } from '../../src/local-services/file-permissions';
import { findSchemaProblems } from '../../src/platform/database/schema/schema-problems';

const DATABASE = 'gigvault';
const INSUFFICIENT_PRIVILEGE = '42501';

type Login = keyof typeof LOGINS;

/** The logins of the servers. */
const SERVER_LOGINS: readonly Login[] = ['app', 'auth', 'worker', 'admin', 'backup', 'monitor'];

/** What each login could do to all others, or for longer than its transaction. */
const REFUSED = [
  `SELECT lo_from_bytea(0, 'x')`,
  'SELECT lo_creat(-1)',
  'SELECT lo_create(0)',
  `SELECT lo_import('/etc/hostname')`,
  'SELECT lo_unlink(1)',
  `SELECT lo_put(1, 0, 'x')`,
  'SELECT lo_get(1)',
  'SELECT lo_open(1, 131072)',
  `SELECT pg_advisory_lock(hashtext('gigvault backups'))`,
  `SELECT pg_try_advisory_lock(1)`,
  'SELECT pg_advisory_lock_shared(1, 2)',
];

/** Statements that PostgreSQL lets each login run on itself. */
const OWN_SETTINGS = [
  'ALTER ROLE CURRENT_USER SET default_transaction_read_only = on',
  'ALTER ROLE CURRENT_USER SET search_path = elsewhere',
  'ALTER ROLE CURRENT_USER SET statement_timeout = 1',
  `ALTER ROLE CURRENT_USER IN DATABASE ${DATABASE} SET lock_timeout = 1`,
  `ALTER ROLE CURRENT_USER IN DATABASE ${DATABASE} SET jit = on`,
];

describe('a stolen database login', () => {
  const folder = mkdtempSync('/tmp/gigvault-tampering-');
  const passwords = createPasswords();
  const postgres = new EmbeddedPostgres({
    folder: join(folder, 'postgres'),
    logFile: join(folder, 'log'),
    superuserPassword: passwords.superuser,
    isEphemeral: true,
  });
  const superuserUrl = (database: string): string => postgres.buildUrl('postgres', passwords.superuser, database);
  const urlOf = (login: Login): string => postgres.buildUrl(getLogin(login), passwords[login], DATABASE);
  const bootstrap = (): Promise<void> => bootstrapDatabase(superuserUrl, DATABASE, passwords);
  const runAs = <Row extends object>(url: string, sql: string): Promise<Row[]> =>
    withClient(url, async (client) => {
      // gigvault_backup and gigvault_monitor read only by default; an attacker changes that.
      await client.query('SET default_transaction_read_only = off');
      return (await client.query<Row>(sql)).rows;
    });
  const findProblems = (client: Client): Promise<string[]> =>
    findSchemaProblems(async (sql) => (await client.query<Record<string, unknown>>(sql)).rows);
  const readCode = (work: Promise<unknown>): Promise<string | undefined> =>
    work.then(
      () => undefined,
      (error: { code?: string }) => error.code,
    );

  beforeAll(async () => {
    chmodSync(folder, 0o700);
    changeOwner(findServiceUser(), folder);
    await postgres.start();
    await bootstrap();
    await runMigrations(urlOf('migrator'));
  });
  afterAll(async () => {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(SERVER_LOGINS)('cannot use large objects or locks of a session, as %s', async (login) => {
    const codes: Record<string, string | undefined> = {};
    for (const sql of REFUSED) codes[sql] = await readCode(runAs(urlOf(login), sql));

    const expected = Object.fromEntries(REFUSED.map((sql) => [sql, INSUFFICIENT_PRIVILEGE]));
    expect(codes).toEqual(expected);
  });

  it.each(SERVER_LOGINS.filter((login) => login !== 'backup'))('cannot read password hashes as %s', async (login) => {
    expect(await readCode(runAs(urlOf(login), 'SELECT rolpassword FROM pg_authid'))).toBe(INSUFFICIENT_PRIVILEGE);
  });

  it.each(SERVER_LOGINS)('changes its settings as %s until the next start, whose check names them', async (login) => {
    await runAs(urlOf(login), OWN_SETTINGS.join('; '));
    const problems = await withClient(superuserUrl(DATABASE), async (client) => {
      await client.query('SET SESSION AUTHORIZATION gigvault_app; SET default_transaction_read_only = on');
      return findProblems(client);
    });

    await bootstrap();
    const repaired = await withClient(urlOf('app'), findProblems);
    const left = await runAs(
      superuserUrl(DATABASE),
      `SELECT setconfig FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
       WHERE setrole = 'gigvault_${login}'::regrole`,
    );

    expect(problems).toContainEqual(
      expect.stringMatching(
        new RegExp(`^login gigvault_${login} has other settings than it should \\(.*lock_timeout.*bootstrap.sql$`),
      ),
    );
    expect(left).toEqual([]);
    expect(repaired).toEqual([]);
  });

  it('removes all its settings until the next start, whose check names them', async () => {
    await runAs(urlOf('app'), 'ALTER ROLE CURRENT_USER RESET ALL');
    const problems = await withClient(urlOf('app'), findProblems);

    await bootstrap();

    expect(problems).toEqual([expect.stringContaining('login gigvault_app lacks settings (TimeZone, ')]);
    expect(await withClient(urlOf('app'), findProblems)).toEqual([]);
  });

  it('cannot forge the list of its settings', async () => {
    expect(await readCode(runAs(urlOf('app'), `COMMENT ON ROLE gigvault_app IS 'x'`))).toBe(INSUFFICIENT_PRIVILEGE);
  });

  it.each(SERVER_LOGINS)('changes the password of %s until the next start', async (login) => {
    await runAs(urlOf(login), `ALTER ROLE CURRENT_USER PASSWORD 'stolen'`);
    const refused = await readCode(runAs(urlOf(login), 'SELECT 1'));

    await bootstrap();

    expect(refused).toBe('28P01');
    expect(await runAs(urlOf(login), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(await runAs(superuserUrl(DATABASE), `SELECT FROM pg_stat_statements WHERE query ~ 'stolen'`)).toEqual([]);
  });

  it('has no large objects after a start', async () => {
    await runAs(superuserUrl(DATABASE), `SELECT lo_create(4711)`);
    await runAs(superuserUrl(DATABASE), `ALTER LARGE OBJECT 4711 OWNER TO gigvault_app`);

    await bootstrap();

    expect(await runAs(superuserUrl(DATABASE), 'SELECT oid FROM pg_largeobject_metadata')).toEqual([]);
  });

  it('cannot hold the lock of backups, which one process holds and which stops no other work', async () => {
    const [holder, other] = [urlOf('backup'), urlOf('backup')].map(
      (connectionString) => new Client({ connectionString }),
    ) as [Client, Client];
    await Promise.all([holder.connect(), other.connect()]);
    const tryLock = async (client: Client): Promise<unknown> =>
      (await client.query<{ locked: boolean }>('SELECT app.try_lock_backups() AS locked')).rows[0]?.locked;
    await Promise.all([holder.query('BEGIN'), other.query('BEGIN')]);

    const locked = [await tryLock(holder), await tryLock(other)];
    const inserted = await runAs(
      superuserUrl(DATABASE),
      `INSERT INTO backups (status, started_by, started_at) VALUES ('running', 'schedule', now()) RETURNING status`,
    );
    await runAs(
      superuserUrl(DATABASE),
      `BEGIN; SET LOCAL lock_timeout = '10s'; SELECT app.analyze_tables(), app.request_vacuum(now()); ROLLBACK`,
    );
    await holder.query('ROLLBACK');
    locked.push(await tryLock(other));
    await Promise.all([holder.end(), other.end()]);
    const refusals: Record<string, (string | undefined)[]> = {};
    for (const login of SERVER_LOGINS.filter((name) => name !== 'backup'))
      refusals[login] = [
        await readCode(runAs(urlOf(login), 'SELECT app.try_lock_backups()')),
        await readCode(runAs(urlOf(login), 'BEGIN; LOCK TABLE app.backup_lock IN ACCESS SHARE MODE')),
      ];

    expect(locked).toEqual([true, false, true]);
    expect(inserted).toEqual([{ status: 'running' }]);
    for (const codes of Object.values(refusals))
      expect(codes).toEqual([INSUFFICIENT_PRIVILEGE, INSUFFICIENT_PRIVILEGE]);
  });
});

import { randomBytes } from 'node:crypto';
import { Client, type ClientBase } from 'pg';
import { storeContextKeys } from '../../src/local-services/database-setup';
import { ContextSigner } from '../../src/platform/database/context-signer';
import { signContext } from '../support/signed-context';
import { testServices } from '../support/test-services';
import { createTestDatabase, type TestDatabase } from '../support/test-database';

/** The age at which a signature is refused. */
const TOO_OLD_MS = 60_000;

const USE = `SELECT set_config('app.context', $1, true)`;
const TITLES = 'SELECT title FROM jobs';

describe('the signed context', () => {
  let database: TestDatabase;
  let ann: number;
  let bob: number;

  beforeAll(async () => {
    database = await createTestDatabase();
    const users = await database.query<{ id: number }>(
      'superuser',
      `INSERT INTO users (email, encrypted_password)
       VALUES ('ann@example.com', 'x'), ('bob@example.com', 'x') RETURNING id`,
    );
    [ann, bob] = users.map(({ id }) => id) as [number, number];
    await database.query(
      'superuser',
      `INSERT INTO jobs (user_id, source_key, title) VALUES ($1, 'upwork:a', 'of Ann'), ($2, 'upwork:b', 'of Bob')`,
      [ann, bob],
    );
  });
  afterAll(() => database.end());

  const titles = async (client: ClientBase, sql = TITLES): Promise<unknown[]> =>
    (await client.query<{ title: string }>(sql)).rows.map(({ title }) => title);

  const titlesWith = (context: string): Promise<unknown[]> =>
    database.transaction('app', async (client) => {
      await client.query(USE, [context]);
      return titles(client);
    });

  const ofAnn = (signedAtMs?: number): string =>
    signContext('app', { tenant: ann, actorKind: 'user', actorId: ann }, signedAtMs);

  it('shows the rows of its tenant', async () => {
    expect(await titlesWith(ofAnn())).toEqual(['of Ann']);
  });

  it.each<[string, () => string]>([
    ['no context', () => ''],
    ['no hexadecimal digits', () => `x${ofAnn().slice(1)}`],
    ['only a signature', () => ofAnn().slice(0, 64)],
    ['only a body', () => ofAnn().slice(64)],
    ['the signature of another tenant', () => ofAnn().replace(`\x1f${ann}\x1f`, `\x1f${bob}\x1f`)],
    ['the signature of another time', () => ofAnn().slice(0, 64) + ofAnn(Date.now() + 1_000).slice(64)],
    ['another kind of actor', () => ofAnn().replace('user', 'admin')],
    ['a field more', () => `${ofAnn()}\x1fsubscriber`],
    ['a signature by the key of another login', () => signContext('auth', { tenant: ann })],
    ['a signature by an unknown key', () => new ContextSigner(randomBytes(32), 'gigvault_app').sign([String(ann)])],
    ['a number', () => '0'],
    ['a syntax error', () => "' OR true --"],
    ['bytes that are no UTF-8 letters', () => '\ud800'.repeat(40)],
  ])('shows nothing with %s', async (_, context) => {
    expect(await titlesWith(context())).toEqual([]);
  });

  it.each([
    ['too old', -TOO_OLD_MS],
    ['of the future', TOO_OLD_MS],
  ])('refuses a genuine signature that is %s', async (_, age) => {
    await expect(titlesWith(ofAnn(Date.now() + age))).rejects.toMatchObject({ code: 'GV001' });
  });

  it('stays valid in a transaction that runs for longer than a signature', async () => {
    const client = new Client({ connectionString: database.urls.app });
    await client.connect();
    try {
      await client.query('BEGIN');
      // What matters is the start of the transaction, so a later signature needs that time.
      const { rows } = await client.query<{ startedAt: Date }>('SELECT now() AS "startedAt"');
      await client.query('SELECT pg_sleep(0.2)');
      await client.query(USE, [ofAnn(rows[0]!.startedAt.getTime())]);
      expect(await titles(client)).toEqual(['of Ann']);
    } finally {
      await client.end();
    }
  });

  describe('against SQL of an attacker with the login gigvault_app', () => {
    /** Runs statements after Ann's context in one transaction and returns all rows, or the SQLSTATE. */
    const attack = async (statements: readonly string[], context = ofAnn()): Promise<string> => {
      const client = new Client({ connectionString: database.urls.app });
      const notices: string[] = [];
      client.on('notice', ({ message, detail }) => notices.push(`${message ?? ''} ${detail ?? ''}`));
      await client.connect();
      try {
        await client.query('BEGIN');
        if (context !== '') await client.query(USE, [context]);
        const seen: unknown[] = [];
        for (const sql of statements) {
          const results = [await client.query(sql.replaceAll('$bob', String(bob)))].flat();
          seen.push(...results.flatMap(({ rows }) => rows as unknown[]));
        }
        return JSON.stringify(seen) + notices.join();
      } catch (error) {
        return `refused: ${(error as { code: string }).code}${notices.join()}`;
      } finally {
        await client.end();
      }
    };

    const FORGE = `set_config('app.context', overlay(current_setting('app.context') placing '$bob' from 76), true)`;

    it.each<[string, string[]]>([
      ['the former setting', [`SET app.user_id = $bob`, TITLES]],
      ['another tenant in the setting', [`SELECT ${FORGE}`, TITLES]],
      ['another tenant while rows are chosen', [`SELECT title FROM jobs WHERE ${FORGE} <> ''`]],
      ['another tenant while rows are shown', [`SELECT title, ${FORGE} FROM jobs`, TITLES]],
      ['a savepoint', [`SAVEPOINT s`, `SELECT ${FORGE}`, `ROLLBACK TO s`, `SELECT ${FORGE}`, TITLES]],
      ['a setting of the session', [`SET app.context = '$bob'`, 'COMMIT', TITLES]],
      ['the keys', [`SELECT encode(inner_pad, 'hex') FROM secrets.context_keys`]],
      ['a copy of the keys', [`COPY secrets.context_keys TO STDOUT`]],
      ['the statistics of the keys', [`SELECT most_common_vals FROM pg_stats WHERE tablename = 'context_keys'`]],
      ['the statistics behind the view', [`SELECT stavalues1 FROM pg_statistic`]],
      ['a key of their own', [`INSERT INTO secrets.context_keys VALUES ('gigvault_app', 'x', 'x')`]],
      ['no keys', [`DELETE FROM secrets.context_keys`]],
      ['another view', [`CREATE OR REPLACE VIEW auth.context AS SELECT 1::bigint AS tenant`]],
      ['a table of the view in a path of their own', [`CREATE TEMP TABLE context_keys (login name)`, TITLES]],
      ['a function in a path of their own', [`CREATE FUNCTION pg_temp.sha256(bytea) RETURNS bytea LANGUAGE sql AS ''`]],
      ['a schema of their own', [`CREATE SCHEMA evil`]],
      ['another user of the session', [`SET SESSION AUTHORIZATION gigvault_definer`, TITLES]],
      ['another role', [`SET ROLE gigvault_definer`, `SELECT inner_pad FROM secrets.context_keys`]],
      ['no row security', [`SET row_security = off`, TITLES]],
      [
        'a leaking condition on the view of the context',
        [
          `SET LOCAL cpu_operator_cost = 0`,
          `SELECT * FROM auth.context c WHERE set_config('a.b', c::text, true) <> ''`,
        ],
      ],
    ])('shows no other tenant and no key with %s', async (_, statements) => {
      const seen = await attack(statements);

      expect(seen).not.toContain('of Bob');
      expect(await keysIn(seen)).toBe(false);
    });

    it('prints no key in a plan', async () => {
      const debug = ['parse', 'rewritten', 'plan'].map((name) => `SET LOCAL debug_print_${name} = on`);
      const logged = 'SET LOCAL client_min_messages = log';
      const seen = await attack([logged, ...debug, `EXPLAIN (VERBOSE) ${TITLES}`, TITLES]);

      expect(seen).toContain('sha256');
      expect(await keysIn(seen)).toBe(false);
    });

    it('keeps the triggers of the audit with a forged audit source', async () => {
      const before = await countAudit();
      await database.transaction('app', async (client) => {
        await client.query(USE, [ofAnn()]);
        await client.query(
          `WITH changed AS (UPDATE jobs SET title = 'of Ann again' WHERE user_id = $1 RETURNING id)
           SELECT set_config('app.context', current_setting('app.context') || E'\\x1f' || 'subscriber', true)
           FROM changed`,
          [ann],
        );
      });

      expect((await countAudit()) - before).toBe(1);
      await database.query('superuser', `UPDATE jobs SET title = 'of Ann' WHERE user_id = $1`, [ann]);
    });

    const countAudit = async (): Promise<number> =>
      (await database.query<{ count: number }>('superuser', 'SELECT count(*)::integer AS count FROM audit_logs'))[0]!
        .count;

    /** Returns whether the text contains bytes of a stored key, in hexadecimal digits or as a node of a plan. */
    const keysIn = async (text: string): Promise<boolean> => {
      const keys = await database.query<{ pad: Buffer }>(
        'superuser',
        `SELECT unnest(ARRAY[inner_pad, outer_pad]) AS pad FROM secrets.context_keys`,
      );
      const forms = keys.flatMap(({ pad }) => [pad.toString('hex', 0, 16), [...pad.subarray(0, 8)].join(' ')]);
      return forms.some((form) => text.includes(form));
    };
  });

  it('refuses a change of an audited table in the context of a read, and leaves no incomplete audit row', async () => {
    const change = `UPDATE jobs SET title = 'changed' WHERE user_id = ${ann}`;
    const read = signContext('app', { tenant: ann, actorKind: 'user', actorId: ann, auditSource: '' });
    const changed = database.transaction('app', async (client) => {
      await client.query(USE, [read]);
      await client.query(change);
    });

    await expect(changed).rejects.toMatchObject({ code: 'GV002' });
    expect(await titlesWith(ofAnn())).toEqual(['of Ann']);
  });

  it.each(['app', 'auth', 'worker', 'admin', 'monitor', 'backup'] as const)('hides the keys from %s', async (role) => {
    await expect(database.query(role, 'SELECT * FROM secrets.context_keys')).rejects.toMatchObject({ code: '42501' });
  });

  it('accepts the former key for a day after a change', async () => {
    const former = ofAnn();
    const root = randomBytes(32);
    await storeContextKeys(database.urls.migrator, root);
    const current = new ContextSigner(root, 'gigvault_app').sign([String(ann)]);
    expect(await titlesWith(former)).toEqual(['of Ann']);
    expect(await titlesWith(current)).toEqual(['of Ann']);

    await database.query(
      'superuser',
      `UPDATE secrets.context_keys SET replaced_at = replaced_at - interval '25 hours'`,
    );
    expect(await titlesWith(former)).toEqual([]);
    expect(await titlesWith(current)).toEqual(['of Ann']);

    await storeContextKeys(database.urls.migrator, root);
    const keys = await database.query('superuser', `SELECT FROM secrets.context_keys WHERE login = 'gigvault_app'`);
    expect(keys).toHaveLength(1);
    await storeContextKeys(database.urls.migrator, Buffer.from(testServices().contextKey, 'base64'));
  });
});

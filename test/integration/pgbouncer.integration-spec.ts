import { Client } from 'pg';
import { loadConfig } from '../../src/platform/config/load-config';
import { Database } from '../../src/platform/database/database';
import { assertNamedStatements } from '../../src/platform/database/driver/statement-names';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import type { Caller } from '../support/caller';
import { signContext } from '../support/signed-context';
import { canKeepStatements, pgBouncerVersion, startPgBouncer, type PgBouncer } from '../support/pgbouncer';

const version = pgBouncerVersion();
const isOld = version !== undefined && !canKeepStatements(version);

if (version === undefined) {
  it.skip('behind PgBouncer: the program pgbouncer is not installed', () => undefined);
} else {
  describe(`behind PgBouncer ${version} in transaction mode`, () => {
    let app: TestApp;
    let bouncer: PgBouncer;

    beforeAll(async () => {
      app = await startApp();
      bouncer = await startPgBouncer(app.settings.DATABASE_URL!);
    });
    afterAll(async () => {
      await bouncer.close();
      await app.close();
    });

    const settings = (prepared: boolean) => ({
      DATABASE_URL: bouncer.urlOf(app.settings.DATABASE_URL!),
      DATABASE_PREPARED_STATEMENTS: String(prepared),
    });

    const listTitles = async (user: Caller, url: string): Promise<string[]> => {
      const { body } = await user.withBaseUrl(url).get('/v1/jobs');
      return (body.items as { title: string }[]).map(({ title }) => title);
    };

    (isOld ? it : it.skip)('the server does not start when named statements end with their transaction', async () => {
      const config = loadConfig({ ...app.settings, ...settings(true) });

      await expect(assertNamedStatements(config)).rejects.toThrow('DATABASE_PREPARED_STATEMENTS: must be false');
    });

    it('the server works without named statements', async () => {
      const user = await createSignedInCaller(app);
      const pooled = await startApp({ sharedWith: app, settings: settings(false) });

      const answers = await Promise.all(Array.from({ length: 20 }, () => user.withBaseUrl(pooled.url).get('/v1/jobs')));

      expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
      expect(await pooled.get(Database).checkWritable()).toMatchObject({ isInRecovery: false });
      await pooled.close();
    });

    it('users at the same time read their own rows only, with named statements where they are kept', async () => {
      const shared = await startPgBouncer(app.settings.DATABASE_URL!, 3);
      const pooled = await startApp({
        sharedWith: app,
        settings: { ...settings(!isOld), DATABASE_URL: shared.urlOf(app.settings.DATABASE_URL!) },
      });
      const users = await Promise.all(
        Array.from({ length: 4 }, async (_, index) => {
          const user = await createSignedInCaller(app);
          await user.withBaseUrl(pooled.url).post('/v1/jobs', { title: `of user ${index}` });
          return user;
        }),
      );

      const answers = await Promise.all(
        Array.from({ length: 40 }, async (_, index) => [
          index % 4,
          ...(await listTitles(users[index % 4]!, pooled.url)),
        ]),
      );

      expect(answers).toEqual(answers.map(([user]) => [user, `of user ${user}`]));
      await pooled.close();
      await shared.close();
    });

    describe('with one connection to PostgreSQL for all clients', () => {
      let narrow: PgBouncer;
      let ann: SignedInCaller;
      let bob: SignedInCaller;
      let jobOfAnn: number;
      const clients: Client[] = [];

      beforeAll(async () => {
        [ann, bob] = await Promise.all([createSignedInCaller(app), createSignedInCaller(app)]);
        jobOfAnn = (await ann.post<{ id: number }>('/v1/jobs', { title: 'of Ann' })).body.id;
        await bob.post('/v1/jobs', { title: 'of Bob' });
      });
      beforeEach(async () => {
        narrow = await startPgBouncer(app.settings.DATABASE_URL!, 1);
      });
      afterEach(async () => {
        await Promise.all(clients.splice(0).map((client) => client.end()));
        await narrow.close();
      });

      async function connect(): Promise<Client> {
        const client = new Client({ connectionString: narrow.urlOf(app.settings.DATABASE_URL!) });
        await client.connect();
        clients.push(client);
        return client;
      }

      /** Sets Ann's context, for the transaction or for the session, as SQL with the login gigvault_app can. */
      const become = (client: Client, isLocal: boolean) =>
        client.query(`SELECT set_config('app.context', $1, $2)`, [
          signContext('app', { tenant: ann.id, actorKind: 'user', actorId: ann.id }),
          isLocal,
        ]);

      /** Returns the titles that a client reads, and the process that serves it. */
      const look = async (client: Client) => {
        const { rows } = await client.query<{ titles: string[]; pid: number }>(
          'SELECT array(SELECT title::text FROM jobs) AS titles, pg_backend_pid() AS pid',
        );
        return rows[0]!;
      };

      it.each(['COMMIT', 'ROLLBACK'])('no signature reaches the next client after %s', async (end) => {
        const [first, next] = [await connect(), await connect()];
        await first.query('BEGIN');
        await become(first, true);
        const seen = await look(first);
        await first.query(end);

        expect(seen.titles).toEqual(['of Ann']);
        expect(await look(next)).toEqual({ titles: [], pid: seen.pid });
        expect((await next.query(`SELECT current_setting('app.context', true) AS text`)).rows).toEqual([{ text: '' }]);
      });

      it('the server leaves no signature on the connection, neither of a list nor of a change', async () => {
        const pooled = await startApp({
          sharedWith: app,
          settings: { ...settings(false), DATABASE_URL: narrow.urlOf(app.settings.DATABASE_URL!) },
        });
        const next = await connect();

        expect(await listTitles(ann, pooled.url)).toEqual(['of Ann']);
        expect((await look(next)).titles).toEqual([]);
        expect((await ann.withBaseUrl(pooled.url).patch(`/v1/jobs/${jobOfAnn}`, { isFavorite: true })).status).toBe(
          200,
        );
        expect((await look(next)).titles).toEqual([]);
        await pooled.close();
      });

      it('a signature that SQL leaves on the connection does not change whose rows the server reads', async () => {
        const attacker = await connect();
        const pooled = await startApp({
          sharedWith: app,
          settings: { ...settings(false), DATABASE_URL: narrow.urlOf(app.settings.DATABASE_URL!) },
        });
        await become(attacker, false);
        // Without a context of its own, another client would have the one that was left.
        expect((await look(await connect())).titles).toEqual(['of Ann']);

        expect(await listTitles(bob, pooled.url)).toEqual(['of Bob']);
        expect(await bob.withBaseUrl(pooled.url).post('/v1/jobs', { title: 'also of Bob' })).toMatchObject({
          status: 201,
        });
        expect(await listTitles(ann, pooled.url)).toEqual(['of Ann']);
        await pooled.close();
      });
    });
  });
}

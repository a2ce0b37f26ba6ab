import { loadConfig } from '../../src/platform/config/load-config';
import { Database } from '../../src/platform/database/database';
import { assertNamedStatements } from '../../src/platform/database/driver/statement-names';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller } from '../support/accounts';
import { pgBouncerVersion, startPgBouncer, type PgBouncer } from '../support/pgbouncer';

const version = pgBouncerVersion();
const isOld = version !== undefined && /^1\.(?:\d|1\d|20)\./.test(version);

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
  });
}

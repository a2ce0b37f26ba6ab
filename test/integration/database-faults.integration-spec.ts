import { execFileSync } from 'node:child_process';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Pool } from 'pg';
import { Message } from '../../src/messages/message.entity';
import { loadConfig } from '../../src/platform/config/load-config';
import { Database } from '../../src/platform/database/database';
import { StatementPipeline } from '../../src/platform/database/driver/statement-pipeline';
import { assertNamedStatements } from '../../src/platform/database/driver/statement-names';
import type { UnitOfWork } from '../../src/platform/database/unit-of-work';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { holdTimeouts } from '../support/frozen-date';
import { TcpProxy } from '../support/tcp-proxy';
import { testServices } from '../support/test-services';
import { runAsUser } from '../support/run-as-user';

/** Statement timeout of the application behind the proxy. It stops waiting for an answer two seconds later. */
const STATEMENT_TIMEOUT_MS = 5_000;
const GRACE_MS = 2_000;

const ANSWER_TIMEOUT_MS = 100;

/** Script that ends when the session of the second argument has answered its statement. */
const AWAIT_ANSWER = `
  const { Client } = require('pg');
  const [, connectionString, pid] = process.argv;
  const hasAnswered = "SELECT FROM pg_stat_activity WHERE pid = $1 AND state = 'idle' AND query LIKE '%AS one'";
  (async () => {
    const client = new Client({ connectionString });
    await client.connect();
    while ((await client.query(hasAnswered, [pid])).rowCount === 0);
    await client.end();
  })();`;

const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

describe('a PostgreSQL that', () => {
  let first: TestApp;
  let app: TestApp;
  let proxy: TcpProxy;
  let database: Database;
  let user: SignedInCaller;

  beforeAll(async () => {
    first = await startApp();
    user = await createSignedInCaller(first);
    proxy = await TcpProxy.start(testServices().postgres.port);
    app = await startApp({
      sharedWith: first,
      settings: {
        DATABASE_URL: proxy.buildUrl(first.settings.DATABASE_URL!),
        DATABASE_STATEMENT_TIMEOUT_MS: String(STATEMENT_TIMEOUT_MS),
        // Sends statements as text, so that the proxy can find them.
        DATABASE_PREPARED_STATEMENTS: 'false',
      },
    });
    database = app.get(Database);
  });
  afterEach(() => {
    jest.useRealTimers();
    proxy.onClientBytes = proxy.onServerBytes = () => true;
    proxy.unfreeze();
  });
  afterAll(async () => {
    await app.close();
    await proxy.close();
    await first.close();
  });

  const write = (unit: UnitOfWork): Promise<Message> =>
    unit.repository(Message).insert({ senderType: 'client', content: 'x' });
  /** Freezes the server when a statement with this text reaches the proxy, and lets the wait for its answer pass. */
  const freezeAt = (text: string, waitMs = STATEMENT_TIMEOUT_MS + GRACE_MS): void => {
    const timeouts = holdTimeouts();
    proxy.onClientBytes = (bytes) => {
      if (!bytes.includes(text)) return true;
      proxy.freeze();
      timeouts.advance(waitMs);
      return true;
    };
  };

  it('freezes before its answer costs the request 503, and the next request reconnects', async () => {
    const jobs = () => user.withBaseUrl(app.url).get('/v1/jobs');
    expect((await jobs()).status).toBe(200);
    freezeAt('FROM jobs');

    const { status, headers, body } = await jobs();

    expect([status, headers.get('retry-after'), body.code]).toEqual([503, '2', 'service.unavailable']);
    proxy.onClientBytes = () => true;
    proxy.unfreeze();
    expect((await jobs()).status).toBe(200);
  });

  it('freezes at COMMIT costs the request 503, and the next request is served', async () => {
    freezeAt('COMMIT');

    const { status, headers } = await user.withBaseUrl(app.url).post('/v1/jobs', { title: 'A job' });

    expect([status, headers.get('retry-after')]).toEqual([503, '2']);
    proxy.onClientBytes = () => true;
    proxy.unfreeze();
    expect((await user.withBaseUrl(app.url).get('/v1/jobs')).status).toBe(200);
  });

  it('freezes at ROLLBACK leaves the first error and a usable pool', async () => {
    freezeAt('ROLLBACK', GRACE_MS);
    const failing = runAsUser(user.id, () => database.transaction((unit) => unit.query('SELECT 1/0')));

    await expect(failing).rejects.toThrow('division by zero');
    proxy.onClientBytes = () => true;
    proxy.unfreeze();
    expect(await database.checkWritable()).toMatchObject({ isInRecovery: false });
  });

  it('freezes between two statements fails the unit at the next one', async () => {
    const timeouts = holdTimeouts();
    const unit = runAsUser(user.id, () =>
      database.transaction(async (work) => {
        await write(work);
        proxy.freeze();
        const second = write(work);
        await nextTurn();
        timeouts.advance(STATEMENT_TIMEOUT_MS + GRACE_MS);
        await second;
      }),
    );

    await expect(unit).rejects.toMatchObject({ name: 'AnswerTimeoutError', code: 'ETIMEDOUT' });
  });

  it('answers while the event loop is blocked is not timed out', async () => {
    const pool = new Pool({ connectionString: first.db.urls.app });
    const client = await pool.connect();
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const answer = StatementPipeline.send(client, [{ text: 'SELECT 1 AS one', values: [] }], ANSWER_TIMEOUT_MS);
    const end = performance.now() + 2 * ANSWER_TIMEOUT_MS;
    execFileSync(process.execPath, ['-e', AWAIT_ANSWER, first.db.urls.superuser, String(rows[0]!.pid)]);
    while (performance.now() < end);

    expect(await answer).toMatchObject([{ rows: [{ one: 1 }] }]);
    client.release();
    await pool.end();
  });

  it('ends the session in the packet of its last answer does not end the process', async () => {
    const fatal = buildErrorResponse({ S: 'FATAL', V: 'FATAL', C: '57P01', M: 'terminating connection' });
    proxy.onServerBytes = (bytes, { client }) => {
      if (!bytes.subarray(-READY.length).equals(READY)) return true;
      client.write(Buffer.concat([bytes, fatal]));
      return false;
    };
    const results = await Promise.allSettled(Array.from({ length: 30 }, () => database.checkWritable()));
    proxy.onServerBytes = () => true;

    expect(results).toHaveLength(30);
    await Promise.allSettled(Array.from({ length: 10 }, () => database.checkWritable()));
    expect(await database.checkWritable()).toMatchObject({ isInRecovery: false });
  });

  it('does not know a named statement in the next transaction prevents the start', async () => {
    const config = loadConfig({ ...app.settings, DATABASE_PREPARED_STATEMENTS: 'true' });
    await assertNamedStatements(config);
    const state = { S: 'ERROR', V: 'ERROR', C: '26000', M: 'prepared statement "gigvault_check" does not exist' };
    proxy.onClientBytes = (bytes, { client }) => {
      const isKnown = bytes[0] === 'B'.charCodeAt(0);
      if (isKnown) client.write(Buffer.concat([buildErrorResponse(state), READY]));
      return !isKnown;
    };

    await expect(assertNamedStatements(config)).rejects.toThrow('DATABASE_PREPARED_STATEMENTS: must be false');
  });
});

/** Builds PostgreSQL's message ErrorResponse. */
function buildErrorResponse(fields: Readonly<Record<string, string>>): Buffer {
  const body = Buffer.from(
    `${Object.entries(fields)
      .map(([field, value]) => `${field}${value}\0`)
      .join('')}\0`,
  );
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

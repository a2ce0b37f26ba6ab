import type { Server } from 'node:http';
import { BodySpool } from '../../src/jobs/import/import-file';
import { startApp, type TestApp } from '../support/test-app';
import { waitFor } from '../support/wait-for';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { countConnections, HalfOpenClient, waitForNoConnections } from '../support/half-open-client';

const MIB = 1_048_576;

/** The head of an import of this length. */
function importHead(user: SignedInCaller | undefined, length: number, more = ''): string {
  const authorization = user ? `authorization: Bearer ${user.token}\r\n` : '';
  return (
    'POST /v1/jobs/import HTTP/1.1\r\nhost: x\r\ncontent-type: text/csv\r\n' +
    `content-length: ${length}\r\n${authorization}${more}\r\n`
  );
}

describe('connections', () => {
  describe('of clients that keep their side open', () => {
    let app: TestApp;
    let server: Server;
    let user: SignedInCaller;

    beforeAll(async () => {
      app = await startApp({
        settings: {
          HTTP_HEADERS_TIMEOUT_MS: '3000',
          HTTP_REQUEST_TIMEOUT_MS: '6000',
          HTTP_MAX_CONNECTIONS_PER_ADDRESS: '30',
        },
      });
      server = app.app.getHttpServer();
      user = await createSignedInCaller(app);
    });
    afterAll(() => app.close());
    afterEach(() => waitForNoConnections(server));

    const clients = (count: number): Promise<HalfOpenClient[]> =>
      Promise.all(Array.from({ length: count }, () => HalfOpenClient.connect(app.url)));

    it.each([
      ['half a header', 'GET / HTTP/1.1\r\nX-'],
      ['nothing', ''],
      [
        'half a body',
        'POST /v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
      ],
    ])('end in time after %s', async (_, words) => {
      const all = await clients(20);
      for (const client of all) client.write(words);

      const answers = await Promise.all(all.map((client) => client.waitForEnd()));

      expect(answers.every((answer) => answer.includes(' 408 ') && answer.includes('application/problem+json'))).toBe(
        true,
      );
      expect(answers[0]).toContain('"code":"request.timeout"');
      await waitForNoConnections(server);
      expect(await countConnections(server)).toBe(0);
    });

    it('give the temporary files of half-sent imports back', async () => {
      const all = await clients(4);
      for (const client of all)
        client.write(Buffer.concat([Buffer.from(importHead(user, 2 * MIB)), Buffer.alloc(MIB, 'a')]));
      await Promise.all(all.map((client) => client.waitForEnd()));

      await waitForNoConnections(server);

      expect(app.get(BodySpool).usedBytes).toBe(0);
    });

    it('are bounded for one address', async () => {
      const all = await clients(40);

      await Promise.all(all.slice(30).map((client) => client.waitForEnd()));

      expect(await countConnections(server)).toBeLessThanOrEqual(30);
    });
  });

  describe('with the usual time', () => {
    let app: TestApp;
    let server: Server;
    let user: SignedInCaller;
    let other: SignedInCaller;

    beforeAll(async () => {
      const limits = {
        IMPORT_LIMIT_BYTES: String(2 * MIB),
        IMPORT_SPOOL_BYTES: String(2 * MIB),
        LARGE_BODIES_AT_ONCE_PER_CALLER: '2',
      };
      app = await startApp({ settings: limits });
      server = app.app.getHttpServer();
      [user, other] = [await createSignedInCaller(app), await createSignedInCaller(app)];
    });
    afterAll(() => app.close());

    const waitingImport = async (who: SignedInCaller | undefined): Promise<HalfOpenClient> => {
      const client = await HalfOpenClient.connect(app.url);
      client.write(importHead(who, 2 * MIB, 'expect: 100-continue\r\n'));
      await client.waitForText('\r\n\r\n');
      return client;
    };

    it('invite only who is signed in to send theirs', async () => {
      const [stranger, known] = [await waitingImport(undefined), await waitingImport(user)];

      expect(stranger.received).toMatch(/^HTTP\/1\.1 401 /);
      expect(known.received).toMatch(/^HTTP\/1\.1 100 Continue/);
      for (const client of [stranger, known]) client.close();
      await waitForNoConnections(app.app.getHttpServer());
    });

    it.each([
      ['413 for too large a body', () => importHead(user, 3 * MIB), ' 413 '],
      ['401 for nobody', () => importHead(undefined, 2 * MIB), ' 401 '],
      ['415 for another type', () => importHead(user, 2 * MIB).replace('text/csv', 'text/plain'), ' 415 '],
    ])('read %s while they still send, then end', async (_, head, status) => {
      const client = await HalfOpenClient.connect(app.url);
      client.write(head());
      client.keepSending(Buffer.alloc(16_384, 'a'));

      const answer = await client.waitForEnd();

      expect(answer).toContain(status);
      expect(answer.toLowerCase()).toContain('connection: close');
      await waitForNoConnections(server);
    });

    it.each([
      ['what is not HTTP', 'NONSENSE\r\n\r\n', ' 400 '],
      ['long headers', `GET / HTTP/1.1\r\nhost: x\r\nx-long: ${'a'.repeat(40_000)}\r\n\r\n`, ' 431 '],
    ])('end after %s', async (_, words, status) => {
      const client = await HalfOpenClient.connect(app.url);
      client.write(words);

      expect(await client.waitForEnd()).toContain(status);
      await waitForNoConnections(server);
    });

    it('may be given up at any moment', async () => {
      for (let turns = 0; turns < 30; turns += 1) {
        const client = await HalfOpenClient.connect(app.url);
        client.write(importHead(user, 2 * MIB));
        for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
        client.close();
      }

      // A failure nobody hears would have ended the process, and with it this test.
      await waitForNoConnections(app.app.getHttpServer());
    });

    it('have a bounded number of places for each caller', async () => {
      const two = [await waitingImport(user), await waitingImport(user)];
      const [third, others] = [await waitingImport(user), await waitingImport(other)];

      expect(third.received).toMatch(/^HTTP\/1\.1 429 [^]*retry-after: \d+[^]*rate\.too_many_at_once/i);
      expect(others.received).toContain('100 Continue');
      for (const client of [...two, third, others]) client.close();
      await waitForNoConnections(app.app.getHttpServer());
      const again = await waitingImport(user);
      expect(again.received).toContain('100 Continue');
      again.close();
    });

    it('are answered 503 when the temporary files are full', async () => {
      const first = await HalfOpenClient.connect(app.url);
      first.write(Buffer.concat([Buffer.from(importHead(user, 2 * MIB)), Buffer.alloc(1.5 * MIB, 'a')]));
      await waitFor('the first body is stored', () => app.get(BodySpool).usedBytes >= 1.5 * MIB);

      const { status, headers } = await other.post('/v1/jobs/import', `title\n${'a'.repeat(MIB)}`, {
        'content-type': 'text/csv',
      });

      expect([status, headers.get('retry-after')]).toEqual([503, '10']);
      first.close();
      await waitFor('the first body is removed', () => app.get(BodySpool).usedBytes === 0);
      expect((await other.post('/v1/jobs/import', 'title\nA\n', { 'content-type': 'text/csv' })).status).toBe(200);
      // Those that fetch keeps for its next request, which the next test would wait for.
      server.closeIdleConnections();
    });

    it.each([
      ['no host', 'GET /health/live HTTP/1.1\r\n\r\n', 400],
      ['two hosts', 'GET /health/live HTTP/1.1\r\nhost: a\r\nHost: b\r\n\r\n', 400],
      ['an expectation nobody meets', 'GET /health/live HTTP/1.1\r\nhost: a\r\nexpect: tea\r\n\r\n', 417],
      ['no host in HTTP/1.0', 'GET /health/live HTTP/1.0\r\n\r\n', 200],
    ])('answer %s with our document', async (_, request, status) => {
      const client = await HalfOpenClient.connect(app.url);
      client.write(request);
      await client.waitForText('}');

      expect(client.received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      if (status !== 200) expect(client.received).toContain('application/problem+json');
      client.close();
    });
  });
});

import { createHash, randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import type { WitnessDto } from '../../src/audit/witnesses/witness.dto';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { C2spLog } from '../support/c2sp-log';
import {
  countSignatures,
  createNoteKey,
  LOG_KEY,
  type NoteKey,
  readVerifierKey,
  signNote,
} from '../support/c2sp-notes';
import { buildTestConfig } from '../support/test-config';
import { startApp, type TestApp } from '../support/test-app';

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly body: string;
}

const [KEY, FORMER_KEY] = [Buffer.alloc(32, 5), Buffer.alloc(32, 6)].map((key) => key.toString('base64'));
const NAME = 'w.example.org/witness';
const SIZE_TYPE = 'text/x.tlog.size';
const TEXT_TYPE = 'text/plain; charset=utf-8';

describe('this installation as a witness', () => {
  let app: TestApp;
  let admin: SignedInCaller;
  let witnessKey: NoteKey;
  let logs: C2spLog[];
  /** Each test has a log of its own. */
  let log: C2spLog;
  let next = 0;

  beforeAll(async () => {
    logs = Array.from({ length: 50 }, (_, i) => new C2spLog(`log${i}.example.org/audit`));
    const second = createNoteKey(logs[0]!.origin, LOG_KEY, Buffer.alloc(32, 3));
    app = await startApp({
      settings: {
        AUDIT_WITNESS_NAME: NAME,
        AUDIT_WITNESS_KEYS: KEY!,
        AUDIT_WITNESSED_LOGS: [...logs.map(({ key }) => key), second].map(({ text }) => text).join(','),
      },
    });
    admin = await createSignedInCaller(app, { role: 'admin' });
    const { body } = await admin.get<WitnessDto>('/v1/admin/audit/witness');
    witnessKey = readVerifierKey(body.verifierKeys[0]!);
  });
  afterAll(() => app.close());
  beforeEach(() => (log = logs[(next += 1)]!));

  async function submit(body: string | Buffer, headers: Record<string, string> = {}, at = app.url): Promise<Answer> {
    const url = `${at}/v1/audit/witness/add-checkpoint`;
    const response = await fetch(url, { method: 'POST', body: new Uint8Array(Buffer.from(body)), headers });
    return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
  }

  async function readCheckpoint(origin: string): Promise<Answer> {
    const hash = createHash('sha256').update(origin).digest('hex');
    const response = await fetch(`${app.url}/v1/audit/witness/${hash}/checkpoint`);
    return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
  }

  /** Returns status and code of a problem of the product, whose body the specification leaves open. */
  async function problemOf(body: string | Buffer): Promise<[number, string]> {
    const answer = await submit(body);
    expect(answer.type).toContain('application/problem+json');
    return [answer.status, (JSON.parse(answer.body) as { code: string }).code];
  }

  it('cosigns heads that extend each other, and independent code accepts the cosignatures', async () => {
    for (const [oldSize, size] of [
      [0, 1],
      [1, 1],
      [1, 7],
      [7, 8],
      [8, 300],
    ] as const) {
      const { status, type, body } = await submit(log.submission(oldSize, size));
      expect([status, type]).toEqual([200, TEXT_TYPE]);
      expect(body).toMatch(/^\u2014 w\.example\.org\/witness [A-Za-z0-9+/]+=*\n$/);
      expect(countSignatures(signNote(log.text(size)) + body, witnessKey)).toBe(1);
    }
    expect(witnessKey.type).toBe(4);
  });

  it('answers the size that it has cosigned, and keeps it', async () => {
    expect(await submit(log.submission(3, 5))).toEqual({ status: 409, type: SIZE_TYPE, body: '0\n' });
    await submit(log.submission(0, 5));

    for (const [oldSize, size] of [
      [0, 7],
      [0, 5],
      [4, 5],
      [4, 4],
      [6, 7],
    ] as const)
      expect(await submit(log.submission(oldSize, size))).toEqual({ status: 409, type: SIZE_TYPE, body: '5\n' });
  });

  it('knows neither other logs nor their keys', async () => {
    const other = new C2spLog('other.example.org');
    expect(await problemOf(other.submission(0, 1))).toEqual([404, 'audit.log_unknown']);
    const stranger = createNoteKey(log.origin, LOG_KEY);
    expect(await problemOf(log.submission(0, 1, { keys: [stranger] }))).toEqual([403, 'audit.head_unsigned']);
    expect(await problemOf(log.submission(0, 1, { keys: [other.key] }))).toEqual([403, 'audit.head_unsigned']);
    const wrong = signNote(log.text(1), log.key).replace(/\S{4}\n$/, 'AAAA\n');
    expect(await problemOf(log.submission(0, 1, { note: wrong }))).toEqual([403, 'audit.head_unsigned']);
    // One wrong signature of a known key makes the note malformed, beside a right one too.
    const both = signNote(log.text(1), log.key) + wrong.slice(wrong.indexOf('\u2014'));
    expect(await problemOf(log.submission(0, 1, { note: both }))).toEqual([403, 'audit.head_unsigned']);
    expect((await readCheckpoint(log.origin)).status).toBe(404);

    const strangers = Array.from({ length: 15 }, (_, i) => createNoteKey(`s${i}`, LOG_KEY));
    expect((await submit(log.submission(0, 1, { keys: [...strangers, log.key] }))).status).toBe(200);
  });

  it('takes each key of a log, so that its key can change', async () => {
    const [first] = logs as [C2spLog];
    const second = createNoteKey(first.origin, LOG_KEY, Buffer.alloc(32, 3));

    expect((await submit(first.submission(0, 2))).status).toBe(200);
    expect((await submit(first.submission(2, 4, { keys: [second] }))).status).toBe(200);
    expect((await submit(first.submission(4, 6, { keys: [second, first.key] }))).status).toBe(200);
  });

  it('refuses another history, and a proof that is not needed', async () => {
    const fork = new C2spLog(log.origin, 'other', log.key);
    expect(await problemOf(log.submission(0, 5, { proof: log.prove(2, 5) }))).toEqual([422, 'audit.head_inconsistent']);
    await submit(log.submission(0, 5));

    expect(await problemOf(fork.submission(5, 5))).toEqual([422, 'audit.head_inconsistent']);
    expect(await problemOf(fork.submission(5, 9))).toEqual([422, 'audit.head_inconsistent']);
    expect(await problemOf(log.submission(5, 9, { proof: [] }))).toEqual([422, 'audit.head_inconsistent']);
    expect(await problemOf(log.submission(5, 9, { proof: log.prove(4, 9) }))).toEqual([422, 'audit.head_inconsistent']);
    const long = [...log.prove(5, 9), randomBytes(32).toString('base64')];
    expect(await problemOf(log.submission(5, 9, { proof: long }))).toEqual([422, 'audit.head_inconsistent']);
    expect(await problemOf(log.submission(5, 5, { proof: long.slice(0, 1) }))).toEqual([
      422,
      'audit.head_inconsistent',
    ]);
    expect((await submit(log.submission(5, 9))).status).toBe(200);
    expect(await submit(log.submission(5, 9))).toMatchObject({ status: 409, body: '9\n' });
  });

  it('cosigns the empty tree with its root only', async () => {
    const wrong = signNote(`${log.origin}\n0\n${Buffer.alloc(32).toString('base64')}\n`, log.key);
    expect(await problemOf(log.submission(0, 0, { note: wrong }))).toEqual([422, 'audit.head_inconsistent']);
    expect((await submit(log.submission(0, 0))).status).toBe(200);
    expect((await submit(log.submission(0, 3))).status).toBe(200);
  });

  it.each<[string, (log: C2spLog) => string | Buffer]>([
    ['nothing', () => ''],
    ['an old size above the new one', (each) => each.submission(3, 2)],
    ['no old size', (each) => each.submission(0, 1).replace('old 0', '')],
    ['a leading zero', (each) => each.submission(0, 1).replace('old 0', 'old 00')],
    ['a carriage return', (each) => each.submission(0, 1).replace('old 0\n', 'old 0\r\n')],
    ['a size above 2^53', (each) => each.submission(0, 1).replace('old 0', 'old 9007199254740993')],
    ['64 hashes', (each) => each.submission(0, 1, { proof: Array(64).fill(Buffer.alloc(32).toString('base64')) })],
    ['a short hash', (each) => each.submission(1, 2, { proof: ['AAAA'] })],
    ['a hash in another form', (each) => each.submission(1, 2, { proof: [`${'A'.repeat(42)}B=`] })],
    ['no empty line', (each) => each.submission(0, 1).replace('\n\n', '\n')],
    ['no signature', (each) => each.submission(0, 1, { note: each.text(1) })],
    ['no line feed at the end', (each) => each.submission(0, 1).slice(0, -1)],
    ['a control character', (each) => each.submission(0, 1, { extension: 'a\tb\n' })],
    ['an empty line in the checkpoint', (each) => each.submission(0, 1, { extension: '\nx\n' })],
    ['a short root', (each) => each.submission(0, 1, { note: signNote(`${each.origin}\n1\nAAAA\n`, each.key) })],
    [
      'a size in another form',
      (each) => each.submission(0, 1, { note: signNote(each.text(1).replace('\n1\n', '\n+1\n'), each.key) }),
    ],
    [
      'bytes that are no UTF-8',
      (each) => Buffer.concat([Buffer.from(each.submission(0, 1)), Buffer.from([0xff, 0x0a])]),
    ],
  ])('answers 400 for %s', async (_, build) => {
    expect(await problemOf(build(log))).toEqual([400, 'audit.submission_invalid']);
  });

  it('covers further lines of the checkpoint', async () => {
    const { status, body } = await submit(log.submission(0, 2, { extension: 'floors 1 2\n' }));
    expect(status).toBe(200);
    expect(countSignatures(signNote(log.text(2, 'floors 1 2\n')) + body, witnessKey)).toBe(1);
  });

  it.each<Record<string, string>>([
    {},
    { 'content-type': 'application/json' },
    { 'content-type': 'x/y', accept: 'text/plain' },
  ])('reads a body with the headers %j', async (headers) => {
    expect((await submit(log.submission(0, 0), headers)).status).toBe(200);
  });

  it('reads a body without a media type, as curl and Go send it', async () => {
    const { hostname, port } = new URL(app.url);
    const status = await new Promise((resolve, reject) => {
      const path = '/v1/audit/witness/add-checkpoint';
      const request = httpRequest({ hostname, port, path, method: 'POST' }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode));
      });
      request.on('error', reject).end(log.submission(0, 3));
    });
    expect(status).toBe(200);
  });

  it('cosigns one of many heads that extend the same one at once', async () => {
    const forks = Array.from({ length: 8 }, (_, i) => new C2spLog(log.origin, `fork ${i}`, log.key));
    const first = await Promise.all(forks.map((fork) => submit(fork.submission(0, 4))));
    expect(first.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(7).fill(409)]);
    expect(first.find(({ status }) => status === 409)).toEqual({ status: 409, type: SIZE_TYPE, body: '4\n' });

    const winner = forks[first.findIndex(({ status }) => status === 200)]!;
    const sizes = [5, 6, 7, 8, 9, 9, 9, 9];
    const second = await Promise.all(sizes.map((size) => submit(winner.submission(4, size))));
    expect(second.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(7).fill(409)]);
  });

  it('serves the newest cosigned head, with both signatures', async () => {
    await submit(log.submission(0, 2));
    const { body: cosignature } = await submit(log.submission(2, 4));
    const { status, type, body } = await readCheckpoint(log.origin);

    expect([status, type]).toEqual([200, TEXT_TYPE]);
    expect(body).toBe(signNote(log.text(4), log.key) + cosignature);
    const { body: list } = await admin.get<WitnessDto>('/v1/admin/audit/witness');
    expect(list.logs.find(({ origin }) => origin === log.origin)).toEqual({
      origin: log.origin,
      treeSize: 4,
      checkpoint: body,
      cosignedAt: expect.any(String),
    });
    expect((await fetch(`${app.url}/v1/audit/witness/x/checkpoint`)).status).toBe(404);
  });

  it('does not build on a record that it has not signed', async () => {
    await submit(log.submission(0, 2));
    const fork = new C2spLog(log.origin, 'other', log.key);
    await app.db.query('superuser', 'UPDATE audit.witnessed_logs SET root_hash = $1 WHERE origin = $2', [
      fork.root(2),
      log.origin,
    ]);

    expect(await problemOf(fork.submission(2, 4))).toEqual([500, 'internal']);
  });

  it('signs with each of its keys, so that the key can change', async () => {
    const both = await startApp({
      sharedWith: app,
      settings: { AUDIT_WITNESS_KEYS: `${KEY},${FORMER_KEY}` },
    });
    const { status, body } = await submit(log.submission(0, 3), {}, both.url);
    await both.close();

    expect([status, body.trimEnd().split('\n').length]).toEqual([200, 2]);
    expect(countSignatures(signNote(log.text(3)) + body, witnessKey)).toBe(1);
    // The former key is gone, and the new one has signed the record.
    expect((await submit(log.submission(3, 4))).status).toBe(200);
  });

  it('shows its keys and logs to admins only', async () => {
    expect((await (await createSignedInCaller(app)).get('/v1/admin/audit/witness')).status).toBe(403);
  });

  it('is none without a key', async () => {
    const none = await startApp({ sharedWith: app, settings: { AUDIT_WITNESS_KEYS: '', AUDIT_WITNESSED_LOGS: '' } });
    const { status } = await submit(log.submission(0, 1), {}, none.url);
    await none.close();
    expect(status).toBe(404);
    expect(() => buildTestConfig({ AUDIT_WITNESSED_LOGS: log.key.text })).toThrow(
      'AUDIT_WITNESS_KEYS: is missing; AUDIT_WITNESSED_LOGS needs it',
    );
  });
});

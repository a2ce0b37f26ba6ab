import { VERIFY_AUDIT_LOGS, SEAL_AUDIT_LOGS } from '../../src/audit/seals/seal-audit-logs.task';
import { EMAIL_AUDIT_HEAD, POST_AUDIT_HEAD } from '../../src/audit/witnesses/send-audit-head.task';
import { WITNESS_AUDIT_HEAD } from '../../src/audit/witnesses/witness-audit-head.task';
import { Config } from '../../src/platform/config/config';
import { RolePools } from '../../src/platform/database/driver/role-pools';
import { SystemDatabase } from '../../src/platform/database/system-database';
import type { Email } from '../../src/platform/mail/email';
import { MailerService } from '../../src/platform/mail/mailer.service';
import type { ScheduledTask, Skipped, TaskContext, TaskResult } from '../../src/platform/scheduler/scheduled-task';
import { cosign, countSignatures, createNoteKey, readNote, WITNESS_KEY } from '../support/c2sp-notes';
import { C2spWitness } from '../support/c2sp-witness';
import { createTestDatabase, type TestDatabase } from '../support/test-database';
import { buildTestConfig } from '../support/test-config';
import { testServices } from '../support/test-services';
import { readCheckpoint } from '../support/tree-proofs';
import { type ReceivedMessage, WebhookReceiver } from '../support/webhook-receiver';

describe('the witnesses of the log', () => {
  let db: TestDatabase;
  let pools: RolePools;
  let config: Config;
  let witness: C2spWitness;
  let users = 0;

  beforeEach(async () => {
    db = await createTestDatabase();
    witness = await new C2spWitness('w.example.org/witness').start();
    configure(witness.setting);
    pools = new RolePools(config);
    await createUser();
    await seal();
    witness.trust(await readVerifierKey());
  });
  afterEach(async () => {
    await witness.stop();
    await pools.onApplicationShutdown();
    await db.end();
  });

  function configure(witnesses: string, changes: NodeJS.ProcessEnv = {}): void {
    config = buildTestConfig({
      DATABASE_WORKER_URL: db.urls.worker,
      CONTEXT_KEY: testServices().contextKey,
      AUDIT_WITNESSES: witnesses,
      ...changes,
    });
  }

  const execute = (sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
    db.query('superuser', sql, values);

  async function createUser(): Promise<void> {
    const sql = `INSERT INTO users (email, encrypted_password) VALUES ($1 || '@example.com', 'none')`;
    await execute(sql, [`user-${(users += 1)}`]);
  }

  async function readVerifierKey(): Promise<string> {
    const [row] = await execute('SELECT verifier_key FROM audit.seals ORDER BY id DESC LIMIT 1');
    return String(row!['verifier_key']);
  }

  async function readTreeSize(): Promise<number> {
    return Number((await execute('SELECT max(tree_size) AS size FROM audit.seals'))[0]!['size']);
  }

  function run(
    task: ScheduledTask,
    lastResult: TaskResult | null = null,
    mailer?: Partial<MailerService>,
  ): Promise<TaskResult | Skipped> {
    const services = new Map<unknown, unknown>([
      [MailerService, mailer],
      [Config, config],
      [SystemDatabase, new SystemDatabase(pools, config)],
    ]);
    const context: Partial<TaskContext> = {
      signal: new AbortController().signal,
      lastResult,
      service: ((type: unknown) => services.get(type)) as TaskContext['service'],
    };
    return task.run(context as TaskContext);
  }

  const seal = (): Promise<TaskResult | Skipped> => run(SEAL_AUDIT_LOGS);
  const witnessHead = (): Promise<TaskResult | Skipped> => run(WITNESS_AUDIT_HEAD);
  const verify = (): Promise<TaskResult | Skipped> => run(VERIFY_AUDIT_LOGS);

  /** Adds rows, seals them, and gets the head cosigned. Returns its size. */
  async function grow(): Promise<number> {
    await createUser();
    await seal();
    await witnessHead();
    return readTreeSize();
  }

  /** Cuts the log to its first seal, with the rows and records of later ones. */
  async function cut({ keepsRecords = false } = {}): Promise<void> {
    await execute('DELETE FROM audit.seals WHERE id > 1');
    await execute('DELETE FROM audit_logs WHERE id > (SELECT max(audit_until) FROM audit.seals)');
    await execute('DELETE FROM security_logs WHERE id > (SELECT max(security_until) FROM audit.seals)');
    if (!keepsRecords) await execute('DELETE FROM audit.cosignatures');
  }

  it('cosign each new head, and their cosignatures are stored with it', async () => {
    expect(await witnessHead()).toEqual({ cosigned: 1 });
    expect(await witnessHead()).toEqual({ skipped: 'all witnesses have the newest head' });
    for (let i = 0; i < 3; i += 1) await grow();

    const rows = await execute(
      `SELECT c.witness, c.tree_size AS size, c.checkpoint || c.cosignature AS note, s.checkpoint
       FROM audit.cosignatures c JOIN audit.seals s USING (tree_size) ORDER BY tree_size`,
    );
    expect(rows).toHaveLength(4);
    for (const { note, checkpoint } of rows) {
      expect(countSignatures(String(note), witness.key)).toBe(1);
      expect(readNote(String(note)).text).toBe(readNote(String(checkpoint)).text);
    }
    expect(rows.at(-1)).toMatchObject({ witness: witness.key.text, size: await readTreeSize() });
    expect([...witness.heads.values()]).toEqual([{ size: await readTreeSize(), root: expect.any(String) }]);
    expect(witness.requests[0]).toMatch(/^old 0\n\n127\.0\.0\.1:3000\/audit\n\d+\n/);
    expect(await verify()).toMatchObject({ witnessed: await readTreeSize() });
  });

  it('are asked by nothing without a setting, and before the first seal', async () => {
    configure('');
    expect(await witnessHead()).toEqual({ skipped: 'AUDIT_WITNESSES is not set' });
    configure(witness.setting);
    await execute('DELETE FROM audit.seals');
    expect(await witnessHead()).toEqual({ skipped: 'no row is sealed yet' });
  });

  it.each([true, false])('find a tail that was cut, with the records of cosignatures: %s', async (keepsRecords) => {
    await witnessHead();
    const size = await grow();
    await cut({ keepsRecords });
    const left = await readTreeSize();

    await expect(witnessHead()).rejects.toThrow(
      `witnesses: w.example.org/witness: the log was cut: it has ${left} entries`,
    );
    await expect(witnessHead()).rejects.toThrow(String(size));
    if (keepsRecords) await expect(verify()).rejects.toThrow('the log was cut');
  });

  it.each([true, false])(
    'find a tail that was replaced and sealed with the key, with the records: %s',
    async (keepsRecords) => {
      await witnessHead();
      const first = await readTreeSize();
      const size = await grow();
      await cut({ keepsRecords });
      while ((await readTreeSize()) <= size) {
        await createUser();
        await seal();
      }

      // Nobody else has seen the former tail.
      const message = keepsRecords
        ? `the log was rewritten before its entry ${size}, w.example.org/witness has cosigned that, and the first ` +
          `difference is in the entries ${first} to ${size - 1}`
        : `the log was rewritten before its entry ${size}, of which w.example.org/witness has cosigned the head`;
      await expect(witnessHead()).rejects.toThrow(message);
      if (keepsRecords) await expect(verify()).rejects.toThrow(`head of ${size} entries: the log was rewritten`);
      else expect(await verify()).toMatchObject({ witnessed: 0 });
    },
  );

  it('do not know another key of the log until their operator adds it', async () => {
    await witnessHead();
    const key = Buffer.alloc(32, 9).toString('base64');
    configure(witness.setting, { AUDIT_SIGNING_KEY: key });

    await expect(witnessHead()).rejects.toThrow('not signed by the key of AUDIT_SIGNING_KEY');
    await createUser();
    await seal();
    const verifierKey = await readVerifierKey();
    await expect(witnessHead()).rejects.toThrow(
      `it does not trust the key of this log: its operator must add ${verifierKey}`,
    );
    witness.trust(verifierKey);
    expect(await witnessHead()).toEqual({ cosigned: 1 });
  });

  it('do not know the log until their operator adds it', async () => {
    const other = await new C2spWitness('other.example.org').start();
    configure(`${witness.setting}, ${other.setting}`);

    await expect(witnessHead()).rejects.toThrow(
      `witnesses: other.example.org: it does not know this log: its operator must add ${await readVerifierKey()}`,
    );
    // The first one has got the head.
    expect(witness.heads.size).toBe(1);
    await other.stop();
  });

  it('may be down: then the run fails, and the next one sends the head', async () => {
    const other = await new C2spWitness('other.example.org').start();
    other.trust(await readVerifierKey());
    configure(`${other.setting},${witness.setting}`);
    await other.stop();

    await expect(witnessHead()).rejects.toThrow('other.example.org: not reachable (ECONNREFUSED)');
    expect(witness.heads.size).toBe(1);
  });

  it('notice that their record of the log, or that of the installation, was lost', async () => {
    await witnessHead();
    const size = await grow();
    await execute('DELETE FROM audit.cosignatures');

    await expect(grow()).rejects.toThrow(`it had cosigned ${size} entries, of which this installation has no record`);
    expect(await witnessHead()).toEqual({ skipped: 'all witnesses have the newest head' });
    const newest = await readTreeSize();
    witness.heads.clear();
    await expect(grow()).rejects.toThrow(`it had cosigned ${newest} entries, and then knew 0`);
    expect(await witnessHead()).toEqual({ skipped: 'all witnesses have the newest head' });
  });

  it('get a head again whose answer was lost', async () => {
    await grow();
    witness.lie = () => 'silence';
    await expect(grow()).rejects.toThrow('not reachable (UND_ERR_SOCKET)');
    const size = await readTreeSize();
    expect([...witness.heads.values()]).toMatchObject([{ size }]);

    witness.lie = undefined;
    expect(await witnessHead()).toEqual({ cosigned: 1 });
    const old = Number(/^old (\d+)/.exec(witness.requests.at(-1)!)![1]);
    expect(old).toBe(size);
  });

  it('may get a newer head from another worker meanwhile', async () => {
    await grow();
    await createUser();
    await seal();
    witness.lie = async () => {
      witness.lie = undefined;
      const size = await grow();
      return { status: 409, body: `${size}\n`, type: 'text/x.tlog.size' };
    };

    expect(await witnessHead()).toEqual({ cosigned: 1 });
    expect([...witness.heads.values()]).toMatchObject([{ size: await readTreeSize() }]);
  });

  it('are not trusted with a stored head that they have not cosigned', async () => {
    await grow();
    await execute(`UPDATE audit.cosignatures SET checkpoint = regexp_replace(checkpoint, E'\\n.{43}=\\n', $1)`, [
      `\n${Buffer.alloc(32, 1).toString('base64')}\n`,
    ]);

    await expect(witnessHead()).rejects.toThrow('is not cosigned by w.example.org/witness: it was changed');
    await expect(verify()).rejects.toThrow('is not cosigned by w.example.org/witness: it was changed');
  });

  describe('beside them, other receivers', () => {
    it('get the newest head as text by the webhook, once', async () => {
      const receiver = await new WebhookReceiver().start();
      configure('', { AUDIT_HEAD_WEBHOOK_URL: receiver.url });
      const result = (await run(POST_AUDIT_HEAD)) as TaskResult;

      expect(result).toEqual({ entries: await readTreeSize() });
      const [{ body, headers }] = receiver.received as [ReceivedMessage];
      expect(headers['content-type']).toBe('text/plain; charset=utf-8');
      expect(readCheckpoint(body, await readVerifierKey()).size).toBe(await readTreeSize());
      expect(await run(POST_AUDIT_HEAD, result)).toEqual({ skipped: 'the receiver has the newest head' });
      receiver.answer = (response) => response.writeHead(500).end();
      await expect(run(POST_AUDIT_HEAD)).rejects.toThrow(/^the webhook of heads at 127\.0\.0\.1:\d+: it answered 500$/);
      await receiver.stop();
      await expect(run(POST_AUDIT_HEAD)).rejects.toThrow('not reachable (ECONNREFUSED)');
    });

    it('get an email that says what the head is for', async () => {
      configure('', { AUDIT_HEAD_EMAIL: 'auditor@example.com' });
      const sent: [Email, string][] = [];
      const deliverOnce = (email: Email, id: string): Promise<null> => {
        sent.push([email, id]);
        return Promise.resolve(null);
      };

      expect(await run(EMAIL_AUDIT_HEAD, null, { deliverOnce })).toEqual({ entries: await readTreeSize() });
      await run(EMAIL_AUDIT_HEAD, null, { deliverOnce });
      const [[{ to, subject, text }, id], [, secondId]] = sent as [[Email, string], [Email, string]];
      expect([to, subject]).toEqual([
        'auditor@example.com',
        `Head of the audit log 127.0.0.1:3000/audit: ${await readTreeSize()} entries`,
      ]);
      const [row] = await execute('SELECT checkpoint FROM audit.seals ORDER BY id DESC LIMIT 1');
      expect(text).toContain(`Keep this email.`);
      expect(text).toContain(String(row!['checkpoint']));
      expect(text).toContain(await readVerifierKey());
      // Receivers recognize a repeated email.
      expect(secondId).toBe(id);
      await expect(run(EMAIL_AUDIT_HEAD, null, { deliverOnce: () => Promise.resolve('timeout') })).rejects.toThrow(
        'the email with the head to AUDIT_HEAD_EMAIL was not sent: timeout',
      );
    });

    it('get nothing without a setting, and before the first seal', async () => {
      expect(await run(POST_AUDIT_HEAD)).toEqual({ skipped: 'AUDIT_HEAD_WEBHOOK_URL is not set' });
      expect(await run(EMAIL_AUDIT_HEAD)).toEqual({ skipped: 'AUDIT_HEAD_EMAIL is not set' });
      configure('', { AUDIT_HEAD_WEBHOOK_URL: 'http://127.0.0.1:1', AUDIT_HEAD_EMAIL: 'auditor@example.com' });
      await execute('DELETE FROM audit.seals');
      for (const task of [POST_AUDIT_HEAD, EMAIL_AUDIT_HEAD])
        expect(await run(task)).toEqual({ skipped: 'no row is sealed yet' });
    });

    it('get no head of another tree', async () => {
      configure('', { AUDIT_HEAD_WEBHOOK_URL: 'http://127.0.0.1:1' });
      await execute(`UPDATE audit.tiles SET hashes = sha256('x') || substr(hashes, 33)`);

      await expect(run(POST_AUDIT_HEAD)).rejects.toThrow('the stored tree is not that of its newest head');
    });
  });

  describe('lie', () => {
    const textOf = (body: string): string => readNote(body.slice(body.indexOf('\n\n') + 2)).text;
    const other = createNoteKey('w.example.org/witness', WITNESS_KEY);
    const now = (): number => Math.floor(Date.now() / 1_000);

    it.each<[string, (body: string) => Awaited<ReturnType<NonNullable<C2spWitness['lie']>>>, string]>([
      ['nothing', () => ({ status: 200, body: '' }), 'no valid cosignature'],
      ['no line', () => ({ status: 200, body: 'cosigned' }), 'no valid cosignature'],
      ['another key', (body) => ({ status: 200, body: cosign(textOf(body), other) }), 'no valid cosignature'],
      ['another head', (body) => ({ status: 200, body: cosign(`${textOf(body)}x\n`, witness.key) }), 'no valid'],
      ['no time', (body) => ({ status: 200, body: cosign(textOf(body), witness.key, 0) }), 'no valid cosignature'],
      [
        'the future',
        (body) => ({ status: 200, body: cosign(textOf(body), witness.key, now() + 86_400) }),
        'a cosignature of the future',
      ],
      ['an endless text', () => ({ status: 200, body: 'x'.repeat(70_000) }), 'more than 65536 bytes'],
      ['the same size', () => ({ status: 409, body: '0\n', type: 'text/x.tlog.size' }), 'contradicts itself'],
      ['a huge size', () => ({ status: 409, body: '999999\n', type: 'text/x.tlog.size' }), 'the log was cut'],
      ['no size', () => ({ status: 409, body: 'x\n', type: 'text/x.tlog.size' }), 'its answer 409 has no size'],
      ['a redirect', () => ({ status: 302, body: '' }), 'it answered 302'],
      ['an early refusal', () => ({ status: 422, body: '' }), 'it answered 422'],
      ['a failure', () => ({ status: 500, body: '' }), 'it answered 500'],
    ])('by %s, and nothing is stored', async (_, lie, problem) => {
      witness.lie = (__, body) => lie(body);

      await expect(witnessHead()).rejects.toThrow(problem);
      expect(await execute('SELECT FROM audit.cosignatures')).toEqual([]);
    });

    it('by sizes that contradict each other', async () => {
      await createUser();
      await seal();
      let size = 1;
      witness.lie = () => ({ status: 409, body: `${(size = 3 - size)}\n`, type: 'text/x.tlog.size' });

      await expect(witnessHead()).rejects.toThrow('it contradicts itself');
    });

    it('with cosignatures of others beside their own', async () => {
      witness.lie = (honest, body) => ({ ...honest, body: cosign(textOf(body), other) + honest.body });

      expect(await witnessHead()).toEqual({ cosigned: 1 });
      const [row] = await execute('SELECT cosignature FROM audit.cosignatures');
      expect(String(row!['cosignature']).split('\n')).toHaveLength(2);
    });
  });
});

import { AuditSealer } from '../../src/audit/seals/audit-sealer';
import type { AuditProofDto, SealDto } from '../../src/audit/seals/audit-seals.dto';
import { NoteSigner } from '../../src/audit/seals/signed-note';
import { loadConfig } from '../../src/platform/config/load-config';
import { RolePools } from '../../src/platform/database/driver/role-pools';
import { SystemDatabase } from '../../src/platform/database/system-database';
import type { Page } from '../../src/platform/http/pagination/page.dto';
import { followInclusion, hashEntry, readCheckpoint, sha256 } from '../support/tree-proofs';
import { startApp, type TestApp } from '../support/test-app';
import { createAnonymousCaller, createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { insertJob } from '../support/factories/job.factory';
import { buildMessage } from '../support/factories/message.factory';
import { pluck } from '../support/caller';

const SEED = Buffer.alloc(32, 7);

interface Logs {
  readonly items: { readonly recordId: number; readonly action: string }[];
}

describe('the audit log', () => {
  let app: TestApp;
  let ann: SignedInCaller;
  let bob: SignedInCaller;
  let admin: SignedInCaller;

  beforeAll(async () => {
    app = await startApp();
  });
  beforeEach(async () => {
    ann = await createSignedInCaller(app);
    bob = await createSignedInCaller(app);
    admin = await createSignedInCaller(app, { role: 'admin' });
  });
  afterAll(() => app.close());

  const createReadMessage = async (): Promise<number> => {
    const { id } = (await ann.post('/v1/messages', buildMessage())).body;
    await ann.post(`/v1/messages/${id}/read`);
    return id;
  };

  describe('GET /v1/audit/logs', () => {
    it('shows changes of own rows by every actor, newest first', async () => {
      const id = await createReadMessage();
      await app.db.query('superuser', `UPDATE messages SET content = 'edited' WHERE id = $1`, [id]);

      const { status, body } = await ann.get('/v1/audit/logs?table=messages');

      expect(status).toBe(200);
      expect(body.nextCursor).toBeNull();
      expect(body.items).toEqual([
        expect.objectContaining({
          table: 'messages',
          recordId: id,
          action: 'UPDATE',
          actor: { kind: 'database', id: null },
          changes: { content: { old: 'When can you start?', new: 'edited' } },
          ipAddress: null,
        }),
        {
          id: expect.any(Number),
          at: expect.any(String),
          table: 'messages',
          recordId: id,
          action: 'UPDATE',
          actor: { kind: 'user', id: ann.id },
          changes: {
            isRead: { old: false, new: true },
            readAt: { old: null, new: expect.stringMatching(/\.\d{3}Z$/) },
          },
          operation: 'POST /v1/messages/:id/read',
          requestId: expect.any(String),
          reason: null,
          ipAddress: '127.0.0.1',
        },
        expect.objectContaining({ action: 'INSERT' }),
      ]);
    });

    it('applies the filters to every page', async () => {
      const id = await createReadMessage();
      const other = await createReadMessage();
      const listActions = async (query: string) =>
        (await ann.get<Logs>(`/v1/audit/logs?${query}`)).body.items.map(
          (row) => `${row.recordId === id ? 'first' : 'other'} ${row.action}`,
        );
      const [{ now }] = (await app.db.query<{ now: Date }>('superuser', 'SELECT now()')) as [{ now: Date }];

      expect(await listActions(`recordId=${id}&table=messages`)).toEqual(['first UPDATE', 'first INSERT']);
      expect(await listActions('action=INSERT&table=messages')).toEqual(['other INSERT', 'first INSERT']);
      expect(await listActions('table=messages&action=DELETE')).toEqual([]);
      expect(await listActions('table=jobs')).toEqual([]);
      expect(await listActions(`table=messages&from=${new Date(now.getTime() + 60_000).toISOString()}`)).toEqual([]);
      expect(
        await listActions(`table=messages&recordId=${other}&to=${new Date(now.getTime() + 60_000).toISOString()}`),
      ).toHaveLength(2);
      const { nextCursor } = (await ann.get('/v1/audit/logs?table=messages&limit=3')).body;
      expect(await listActions(`table=messages&limit=3&cursor=${nextCursor}`)).toEqual(['first INSERT']);
    });

    it('shows no rows of other users', async () => {
      await createReadMessage();

      expect((await bob.get('/v1/audit/logs?table=messages')).body).toEqual({ items: [], nextCursor: null });
    });

    it('shows secrets as redacted', async () => {
      await app.db.query('superuser', `UPDATE users SET encrypted_password = 'another-hash' WHERE id = $1`, [ann.id]);

      const { body } = await ann.get('/v1/audit/logs?table=users');

      expect(body.items[0].changes.encryptedPassword).toEqual({ old: '[redacted]', new: '[redacted]' });
      expect(JSON.stringify(body)).not.toContain('another-hash');
    });

    it.each([
      'table=Jobs;',
      'recordId=x',
      'action=SELECT',
      'from=yesterday',
      'to=2026-02-30T00:00:00Z',
      'limit=0',
      'sort=at',
      'userId=1',
    ])('rejects %s and names it', async (query) => {
      const { status, body } = await ann.get(`/v1/audit/logs?${query}`);

      expect(status).toBe(400);
      expect(body.errors[0].pointer).toMatch(new RegExp(`^/${query.split('=')[0]}\\b`));
    });
  });

  describe('GET /v1/audit/:table/:recordId', () => {
    it('shows the trail of one record', async () => {
      const id = await createReadMessage();

      const { status, body } = await ann.get(`/v1/audit/messages/${id}`);

      expect(status).toBe(200);
      expect(pluck(body.items, 'action')).toEqual(['UPDATE', 'INSERT']);
    });

    it('answers 404 for records of others, unknown records and unknown tables', async () => {
      const id = await createReadMessage();

      const answers = await Promise.all([
        bob.get(`/v1/audit/messages/${id}`),
        ann.get('/v1/audit/messages/999999999'),
        ann.get(`/v1/audit/nonsense/${id}`),
      ]);

      expect(answers.map(({ status, body }) => [status, body.code])).toEqual(
        answers.map(() => [404, 'audit.not_found']),
      );
    });

    it('rejects a malformed id', async () => {
      expect((await ann.get('/v1/audit/messages/x')).body.errors[0].pointer).toBe('/recordId');
    });
  });

  describe('GET /v1/admin/audit/logs', () => {
    it('shows the rows of all tenants to an admin and records a security event', async () => {
      const id = await createReadMessage();

      const { status, body } = await admin.get(`/v1/admin/audit/logs?userId=${ann.id}&table=messages`);

      expect(status).toBe(200);
      expect(body.items).toEqual([
        expect.objectContaining({ userId: ann.id, recordId: id, action: 'UPDATE', ipAddress: '127.0.0.1' }),
        expect.objectContaining({ userId: ann.id, recordId: id, action: 'INSERT' }),
      ]);
      const events = await app.db.query(
        'superuser',
        `SELECT details FROM security_logs WHERE event_type = 'system.admin' AND user_id = $1`,
        [admin.id],
      );
      expect(events).toEqual([{ details: { reason: 'read the audit log', operation: 'GET /v1/admin/audit/logs' } }]);
    });

    it('shows changes by the database owner', async () => {
      const jobId = await insertJob(app.db, ann.id);

      const { body } = await admin.get(`/v1/admin/audit/logs?actorKind=database&table=jobs&recordId=${jobId}`);

      expect(body.items).toMatchObject([{ action: 'INSERT', actor: { kind: 'database', id: null }, userId: ann.id }]);
    });

    it('is forbidden to users and anonymous callers', async () => {
      expect((await ann.get('/v1/admin/audit/logs')).status).toBe(403);
      expect((await createAnonymousCaller(app).get('/v1/admin/audit/logs')).status).toBe(401);
    });
  });

  describe('GET /v1/admin/security-logs', () => {
    it('shows matching events to an admin, newest first', async () => {
      const log = `SELECT auth.log_event($1, $2, $3, $4, 'a test', '{"n": 1}')`;
      await app.db.query('superuser', log, ['login.failed', ann.id, false, '::ffff:203.0.113.7']);
      await app.db.query('superuser', log, ['login', ann.id, true, '203.0.113.8']);

      const listTypes = async (query: string) =>
        pluck((await admin.get(`/v1/admin/security-logs?userId=${ann.id}&${query}`)).body.items, 'eventType');

      expect(await listTypes('')).toEqual(['account.admin_access', 'login', 'login.failed']);
      expect(await listTypes('success=false')).toEqual(['login.failed']);
      expect(await listTypes('ipAddress=203.0.113.7')).toEqual(['login.failed']);
      expect(await listTypes('eventType=login')).toEqual(['login']);
      const { body: page } = await admin.get(`/v1/admin/security-logs?userId=${ann.id}&limit=1`);
      expect(page.nextCursor).toEqual(expect.any(String));
      expect(
        (await admin.get(`/v1/admin/security-logs?userId=${ann.id}&success=true&eventType=login&limit=1`)).body,
      ).toEqual({
        nextCursor: null,
        items: [
          {
            id: expect.any(Number),
            at: expect.any(String),
            userId: ann.id,
            eventType: 'login',
            success: true,
            ipAddress: '203.0.113.8',
            userAgent: 'a test',
            details: { n: 1 },
          },
        ],
      });
    });

    it.each(['ipAddress=x', 'success=1', 'eventType=%20', 'userId=0'])('rejects %s', async (query) => {
      expect((await admin.get(`/v1/admin/security-logs?${query}`)).status).toBe(400);
    });

    it('is forbidden to users', async () => {
      expect((await ann.get('/v1/admin/security-logs')).status).toBe(403);
    });
  });

  it('requires a sign-in', async () => {
    const anonymous = createAnonymousCaller(app);

    expect((await anonymous.get('/v1/audit/logs')).status).toBe(401);
    expect((await anonymous.get('/v1/audit/jobs/1')).status).toBe(401);
  });

  describe('GET /v1/audit/logs/:id/proof', () => {
    /** Seals all rows as the worker does. */
    const seal = async (): Promise<void> => {
      const config = loadConfig(app.settings);
      const pools = new RolePools(config);
      const sealer = new AuditSealer(new SystemDatabase(pools, config), () => new NoteSigner('test/audit', SEED));
      while ((await sealer.sealNext()) > 0);
      await pools.onApplicationShutdown();
    };

    const createLog = async (title = 'Proved'): Promise<number> => {
      await ann.post('/v1/jobs', { title });
      const { body } = await ann.get('/v1/audit/logs?table=jobs');
      return (body as unknown as { items: { id: number }[] }).items[0]!.id;
    };

    it('leads from the row to a signed head, which others can verify', async () => {
      const id = await createLog();
      await seal();

      const { status, body } = await ann.get<AuditProofDto>(`/v1/audit/logs/${id}/proof`);

      expect(status).toBe(200);
      const salt = Buffer.from(body.salt!, 'hex');
      const valuesHash = sha256(salt.subarray(0, 16), Buffer.from(body.values!));
      const addressHash = sha256(salt.subarray(16), Buffer.from('127.0.0.1'));
      expect([body.valuesHash, body.addressHash]).toEqual([valuesHash.toString('hex'), addressHash.toString('hex')]);
      expect(body.values).toContain('"title": "Proved"');
      const entry = Buffer.from(body.entry, 'base64');
      expect([entry[0], Number(entry.readBigInt64BE(1))]).toEqual(['a'.charCodeAt(0), id]);
      expect(entry.subarray(17)).toEqual(
        sha256(Buffer.from(`${body.columns}\u001f`), valuesHash, Buffer.from('\u001f'), addressHash),
      );
      const path = body.path.map((each) => Buffer.from(each, 'base64'));
      const root = followInclusion(hashEntry(entry), body.leafIndex, body.treeSize, path);
      expect(readCheckpoint(body.checkpoint, body.verifierKey)).toEqual({
        origin: 'test/audit',
        size: body.treeSize,
        root: root.toString('base64'),
      });
    });

    it('does not help to find the address of another actor', async () => {
      await createLog();
      await app.db.query('superuser', `UPDATE jobs SET title = 'Changed' WHERE user_id = $1`, [ann.id]);
      const { body } = await ann.get('/v1/audit/logs?table=jobs');
      const [{ id }] = (body as unknown as { items: [{ id: number }] }).items;
      await seal();

      const proof = (await ann.get<AuditProofDto>(`/v1/audit/logs/${id}/proof`)).body;

      expect(Buffer.from(proof.salt!, 'hex')).toHaveLength(16);
      expect(sha256(Buffer.from(proof.salt!, 'hex'), Buffer.from(proof.values!)).toString('hex')).toBe(
        proof.valuesHash,
      );
    });

    it('is refused for rows that are not sealed, of others, or do not exist', async () => {
      const id = await createLog();
      const early = await ann.get(`/v1/audit/logs/${id}/proof`);
      await seal();

      expect([early.status, early.body.code]).toEqual([409, 'audit.not_sealed']);
      for (const [caller, wanted] of [
        [bob, id],
        [ann, 999_999_999],
      ] as const) {
        const { status, body } = await caller.get(`/v1/audit/logs/${wanted}/proof`);
        expect([status, body.code]).toEqual([404, 'audit.not_found']);
      }
      const { status, body } = await ann.get('/v1/audit/logs/x/proof');
      expect([status, body.errors]).toEqual([400, [expect.objectContaining({ pointer: '/id' })]]);
    });

    it('belongs to a seal that admins list, page by page', async () => {
      await createLog('first');
      await seal();
      await createLog('second');
      await seal();

      const first = await admin.get<Page<SealDto>>('/v1/admin/audit/seals?limit=1');
      const second = await admin.get<Page<SealDto>>(`/v1/admin/audit/seals?limit=1&cursor=${first.body.nextCursor}`);

      const [newest, before] = [first.body.items[0]!, second.body.items[0]!];
      expect(newest.id).toBe(before.id + 1);
      expect(newest.treeSize).toBe(before.treeSize + newest.rows);
      expect(newest.checkpoint).toContain(`test/audit\n${newest.treeSize}\n`);
      expect((await ann.get('/v1/admin/audit/seals')).status).toBe(403);
    });
  });
});

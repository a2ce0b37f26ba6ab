import { listGenerations } from '../../src/ai/generations/generations.service';
import { listCoverLetterVersions } from '../../src/cover-letters/cover-letters.service';
import { listDeliveries } from '../../src/webhooks/deliveries.queries';
import { listAuditLogs, listSecurityLogs } from '../../src/audit/logs/audit.queries';
import { listConversations } from '../../src/messages/conversations/conversations.queries';
import { COUNT_UNREAD, listMessages } from '../../src/messages/messages.queries';
import type { CursorKey } from '../../src/platform/http/pagination/keyset-page';
import { listProposals } from '../../src/proposals/proposals.queries';
import { explainAs, PLAN_MODES, countRowsRead } from '../support/query-plans';
import { createTestDatabase, type TestDatabase } from '../support/test-database';

/** Rows of each kind of the tenant, enough to detect that all are read. */
const MANY = 2_500;

/** Limit of rows a page may read. */
const FEW = 100;

const TAKE = 21;

/** Inserts rows of the tenant $1, one millisecond apart: at the start of a year others would be in other partitions. */
const DATA = [
  `INSERT INTO jobs (user_id, source_key, title) VALUES ($1, 'upwork:1', 'A job'), ($1, 'upwork:2', 'Another')`,
  `INSERT INTO proposals (user_id, job_id, status, submitted_at, created_at)
   SELECT $1, (SELECT min(id) + (n % 100 <> 0)::integer FROM jobs WHERE user_id = $1),
     CASE WHEN n % 100 = 0 THEN 'accepted' ELSE 'rejected' END, now(), CREATED FROM NUMBERS`,
  `INSERT INTO messages (user_id, job_id, sender_type, content, is_read, created_at)
   SELECT $1, (SELECT min(id) + (n % 100 <> 0)::integer FROM jobs WHERE user_id = $1),
     'client', 'x', n % 100 <> 0, CREATED FROM NUMBERS`,
  `INSERT INTO conversations (user_id, room_id, job_id, last_sender_type, last_activity_at)
   SELECT $1, 'room' || n, (SELECT min(id) + (n % 100 <> 0)::integer FROM jobs WHERE user_id = $1),
     CASE WHEN n % 100 = 0 THEN 'client' ELSE 'freelancer' END, CREATED FROM NUMBERS`,
  `INSERT INTO messages (user_id, room_id, sender_type, content, is_read, created_at)
   SELECT $1, 'room' || n, 'client', 'x', n % 100 <> 0, CREATED FROM NUMBERS`,
  `INSERT INTO ai_generations (user_id, job_id, generation_type, prompt, created_at)
   SELECT $1, (SELECT min(id) + (n % 100 <> 0)::integer FROM jobs WHERE user_id = $1),
     CASE WHEN n % 100 = 0 THEN 'message' ELSE 'cover_letter' END, 'x', CREATED FROM NUMBERS`,
  `INSERT INTO letter_versions (user_id, proposal_id, letter)
   SELECT $1, (SELECT min(id) + (n % 100 <> 0)::integer FROM proposals WHERE user_id = $1), 'x' FROM NUMBERS`,
  `INSERT INTO webhooks (user_id, url, seal_key, encrypted_secret)
   VALUES ($1, 'https://example.com', gen_random_uuid(), 'x')`,
  `INSERT INTO alert_deliveries (user_id, webhook_id, event_type, payload)
   SELECT $1, (SELECT id FROM webhooks WHERE user_id = $1), 'x', '{}' FROM NUMBERS`,
  `INSERT INTO security_logs (user_id, event_type, success, created_at)
   SELECT $1, 'login', n % 2 = 0, CREATED FROM NUMBERS`,
].map((sql) =>
  sql
    .replace('NUMBERS', 'generate_series(1, $2::integer) AS n')
    .replace('CREATED', `now() - n * interval '1 millisecond'`),
);

type SortKey = 'created_at' | 'last_activity_at' | 'id';
type Page = (after: CursorKey[] | undefined) => [sql: string, values: unknown[]];

/** Counts rows instead of milliseconds. jobs-plans.integration-spec.ts covers the lists of jobs. */
describe('lists of a tenant with many rows', () => {
  let db: TestDatabase;
  let tenant: number;
  let first: { job: number; proposal: number; webhook: number };

  beforeAll(async () => {
    db = await createTestDatabase();
    const users = await db.query<{ id: number }>(
      'superuser',
      `INSERT INTO users (email, encrypted_password)
       SELECT 'user' || n || '@example.com', 'none' FROM generate_series(0, 20) AS n RETURNING id`,
    );
    tenant = users[0]!.id;
    for (const { id } of users) {
      for (const sql of DATA)
        await db.query('superuser', sql, sql.includes('$2') ? [id, id === tenant ? MANY : 20] : [id]);
    }
    await db.query('superuser', 'VACUUM ANALYZE');
    [first] = (await db.query<typeof first>(
      'superuser',
      `SELECT (SELECT min(id) FROM jobs WHERE user_id = $1) AS job,
         (SELECT min(id) FROM proposals WHERE user_id = $1) AS proposal,
         (SELECT id FROM webhooks WHERE user_id = $1) AS webhook`,
      [tenant],
    )) as [typeof first];
  });
  afterAll(() => db.end());

  /** Returns the keys of a row in the middle of a list by time or by id. */
  const middleOf = async (table: string, key: SortKey): Promise<CursorKey[]> => {
    const [row] = await db.query<{ at: string; id: number }>(
      'superuser',
      `SELECT ${key}::text AS at, id FROM ${table}
       WHERE user_id = $1 ORDER BY ${key} DESC OFFSET ${MANY / 2} LIMIT 1`,
      [tenant],
    );
    return key === 'id' ? [row!.id] : [row!.at, row!.id];
  };

  const lists: [string, string, SortKey, Page][] = [
    ['proposals', 'proposals', 'created_at', (after) => listProposals({ limit: 20, sort: '-createdAt' }, after, TAKE)],
    [
      'the oldest proposals',
      'proposals',
      'created_at',
      (after) => listProposals({ limit: 20, sort: 'createdAt' }, after, TAKE),
    ],
    [
      'accepted proposals',
      'proposals',
      'created_at',
      (after) => listProposals({ limit: 20, sort: '-createdAt', status: ['accepted'] }, after, TAKE),
    ],
    [
      'proposals of a job',
      'proposals',
      'created_at',
      (after) => listProposals({ limit: 20, sort: '-createdAt', jobId: first.job }, after, TAKE),
    ],
    ['messages', 'messages', 'created_at', (after) => listMessages({ limit: 20, sort: '-createdAt' }, after, TAKE)],
    [
      'messages of a job',
      'messages',
      'created_at',
      (after) => listMessages({ limit: 20, sort: 'createdAt', jobId: first.job }, after, TAKE),
    ],
    [
      'unread messages',
      'messages',
      'created_at',
      (after) => listMessages({ limit: 20, sort: '-createdAt', isRead: false }, after, TAKE),
    ],
    ['conversations', 'conversations', 'last_activity_at', (after) => listConversations({ limit: 20 }, after, TAKE)],
    [
      'conversations about a job',
      'conversations',
      'last_activity_at',
      (after) => listConversations({ limit: 20, jobId: first.job }, after, TAKE),
    ],
    [
      'conversations that wait for the freelancer',
      'conversations',
      'last_activity_at',
      (after) => listConversations({ limit: 20, waitingFor: 'freelancer' }, after, TAKE),
    ],
    [
      'conversations with unread messages',
      'conversations',
      'last_activity_at',
      (after) => listConversations({ limit: 20, unread: true }, after, TAKE),
    ],
    ['generations', 'ai_generations', 'created_at', (after) => listGenerations({ limit: 20 }, after, TAKE)],
    [
      'drafts of messages',
      'ai_generations',
      'created_at',
      (after) => listGenerations({ limit: 20, type: ['message'] }, after, TAKE),
    ],
    [
      'generations of a job',
      'ai_generations',
      'created_at',
      (after) => listGenerations({ limit: 20, jobId: first.job }, after, TAKE),
    ],
    ['versions of a letter', 'letter_versions', 'id', (after) => listCoverLetterVersions(first.proposal, after, TAKE)],
    ['deliveries of a webhook', 'alert_deliveries', 'id', (after) => listDeliveries(first.webhook, after, TAKE)],
    ['the audit log', 'audit_logs', 'created_at', (after) => listAuditLogs({}, after, TAKE)],
    [
      'the history of a row',
      'audit_logs',
      'created_at',
      (after) => listAuditLogs({ table: 'jobs', recordId: first.job }, after, TAKE),
    ],
    ['security events', 'security_logs', 'created_at', (after) => listSecurityLogs({}, after, TAKE)],
  ];

  describe.each(PLAN_MODES)('%s', (mode) => {
    it.each(lists)('%s: the first page and one in the middle read few rows', async (_, table, key, page) => {
      const read: number[] = [];
      for (const after of [undefined, await middleOf(table, key)])
        read.push(countRowsRead(await explainAs(db, tenant, mode, ...page(after)), table));

      expect(read[0]).toBeGreaterThan(0);
      expect(Math.max(...read)).toBeLessThan(FEW);
    });

    it('the count of unread messages reads only those', async () => {
      expect(countRowsRead(await explainAs(db, tenant, mode, COUNT_UNREAD, []), 'messages')).toBe((2 * MANY) / 100);
    });
  });
});

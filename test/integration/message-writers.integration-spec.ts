import { UpworkJobsService } from '../../src/jobs/upwork-jobs.service';
import { MessageDeliveryService } from '../../src/messages/message-delivery.service';
import { UpworkMessagesService } from '../../src/messages/upwork-messages.service';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { runAsUser } from '../support/run-as-user';
import { startApp, type TestApp } from '../support/test-app';
import { waitFor } from '../support/wait-for';

const NUMBER = '1991400000000000102';
const ROOM = 'room_1';

describe('parallel writers of messages', () => {
  let app: TestApp;
  let ann: SignedInCaller;
  let tokenId: number;
  let replyId: number;

  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    ann = await createSignedInCaller(app);
    const jobId = await insertJobWithKey(`upwork:${NUMBER}`);
    tokenId = await insert(`INSERT INTO user_tokens (user_id, seal_key, encrypted_access_token, encrypted_refresh_token,
      expires_at) VALUES ($1, gen_random_uuid(), 'x', 'x', now()) RETURNING id`);
    await insert(`INSERT INTO conversations (user_id, room_id, job_id) VALUES ($1, '${ROOM}', ${jobId}) RETURNING id`);
    await insert(`INSERT INTO proposals (user_id, job_id) VALUES ($1, ${jobId}) RETURNING id`);
    replyId =
      await insert(`INSERT INTO messages (user_id, job_id, room_id, sender_type, content, delivery, attempted_at)
      VALUES ($1, ${jobId}, '${ROOM}', 'freelancer', 'Hello', 'sending', now()) RETURNING id`);
  });

  async function insert(sql: string): Promise<number> {
    const [row] = await app.db.query<{ id: number }>('superuser', sql, [ann.id]);
    return row!.id;
  }

  const insertJobWithKey = (key: string) =>
    insert(`INSERT INTO jobs (user_id, source_key, title) VALUES ($1, '${key}', 'A job') RETURNING id`);

  const asAnn = (work: () => Promise<unknown>) => runAsUser(ann.id, work);

  /** Stores the room with the reply, which Upwork has, and with a new message. */
  const storeRoom = () =>
    asAnn(() => {
      const room = { tokenId, roomId: ROOM, title: null, topic: null, upworkProposalId: null, readUntil: null };
      const message = { attachmentCount: 0, sentAt: new Date() };
      return app.get(UpworkMessagesService).store({ ...room, upworkJobNumber: NUMBER }, [
        { ...message, upworkMessageId: 'story_1', senderType: 'freelancer', isByUser: true, content: 'Hello' },
        { ...message, upworkMessageId: 'story_2', senderType: 'client', isByUser: false, content: 'News' },
      ]);
    });

  /** Records that the reply got no answer. */
  const recordNoAnswer = () => {
    const deliveries = app.get(MessageDeliveryService);
    const attempt = { deadline: 0, mayHaveArrived: true };
    return asAnn(() => deliveries['recordFailure'](replyId, new Error('no answer'), attempt));
  };

  /** Records that Upwork has the reply. */
  const recordAnswer = () => asAnn(() => app.get(MessageDeliveryService)['recordSent'](replyId, 'story_1'));

  /** Stores a job of a search, which merges the job of the room with it. */
  const mergeJobs = () =>
    asAnn(async () => {
      await insertJobWithKey('upwork:~0777');
      return app
        .get(UpworkJobsService)
        .store([{ upworkJobId: '~0777', upworkJobNumber: NUMBER, title: 'From the search' }]);
    });

  const waitForWriters = (count: number) =>
    waitFor(`${count} waiting transactions`, async () => {
      const waiting = await app.db.query(
        'superuser',
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      return waiting.length === count;
    });

  it.each([
    { name: 'a reply without an answer', first: recordNoAnswer, table: 'messages' },
    { name: 'a reply with an answer', first: recordAnswer, table: 'messages' },
    { name: 'a merge of jobs', first: mergeJobs, table: 'proposals' },
  ])('do not deadlock: a room and $name', async ({ first, table }) => {
    const writers: Promise<unknown>[] = [];
    // Both writers wait before they can continue, each with what it locked.
    await app.db.transaction('superuser', async (client) => {
      await client.query(`SELECT FROM ${table} WHERE user_id = $1 FOR UPDATE`, [ann.id]);
      writers.push(first());
      await waitForWriters(1);
      writers.push(storeRoom());
      await waitForWriters(2);
    });

    expect(await Promise.allSettled(writers)).toMatchObject([{ status: 'fulfilled' }, { status: 'fulfilled' }]);
    expect(await app.db.query('superuser', 'SELECT id, delivery FROM messages WHERE id = $1', [replyId])).toEqual([
      { id: replyId, delivery: 'sent' },
    ]);
    expect((await ann.get('/v1/messages')).body.items).toHaveLength(2);
  });
});

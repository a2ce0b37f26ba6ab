import type { FakeUpwork } from '../../src/demo/fake-upwork/fake-upwork';
import type { FakeRoom } from '../../src/demo/fake-upwork/fake-marketplace';
import { ANNA } from '../../src/demo/fake-upwork/cases/account-cases';
import { listRoomFilters } from '../../src/sync/messages-sync.service';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import type { Answer } from '../support/caller';
import type { TestApp } from '../support/test-app';
import type { ManualWorker } from '../support/test-worker';
import { startUpworkApp, type UpworkApp } from '../support/upwork-app';

const DAY_MS = 86_400_000;

/** Errors of an answer that Upwork could not read. */
const FAILED = [
  {
    message: 'Exception while fetching data',
    path: ['roomStories'],
    extensions: { classification: 'DataFetchingException' },
  },
];

const ROOM = 'room_3f1c8a7e2b904d56';
const JOB = '~021991400000000000102';

/** The rows that the stories of the case `stories-page` become, the oldest first. */
const MESSAGES = [
  ['client', 'Hi! When can you start?', 0, true, '2026-11-20T09:12:00.000Z'],
  [
    ...['client', 'if (a < b) { … } <script>alert(1)</script> **bold** https://example.com/x?y=1&z=2', 0, true],
    '2026-11-20T09:13:00.000Z',
  ],
  ['client', 'First', 0, true, '2026-11-20T09:14:00.000Z'],
  ['freelancer', 'Anna is our expert for this.', 0, true, '2026-11-20T09:15:00.000Z'],
  ['freelancer', 'I can start Monday.\nRegards, Anna', 0, true, '2026-11-20T09:16:00.000Z'],
  ['client', '(a file)', 1, false, '2026-11-20T09:18:00.000Z'],
  ['client', 'See the file.', 1, false, '2026-11-20T09:19:00.000Z'],
];

describe("the messages that Upwork's conversations become", () => {
  let upworkApp: UpworkApp;
  let upwork: FakeUpwork;
  let app: TestApp;
  let worker: ManualWorker;
  let ann: SignedInCaller;

  beforeAll(async () => {
    upworkApp = await startUpworkApp();
    ({ upwork, app, worker } = upworkApp);
  });
  beforeEach(async () => {
    ann = await upworkApp.connectUser(ANNA.organizationId);
  });
  afterEach(async () => {
    await upworkApp.reset();
  });
  afterAll(() => upworkApp.close());

  const synchronize = (...cases: string[]) => upworkApp.synchronize(ann, 'messages', ...cases);

  async function readMessages(query = ''): Promise<Answer['body'][]> {
    return (await ann.get(`/v1/messages?sort=createdAt&limit=100${query}`)).body.items;
  }

  const variables = () => upwork.calls.map((call) => call.variables);
  const roomPage = (filter: object = {}) => ({ filter, pagination: { first: 50 } });
  const stories = (after?: string) => ({
    filter: { roomId_eq: ROOM, storyFilter: { pagination: { ...(after && { after }), first: 50 } } },
  });

  it('are one per text or file, of the client or of the freelancer and their team', async () => {
    const sync = await synchronize('current-user', 'rooms-page-no-scope', 'stories-page', 'stories-page-same-cursor');

    expect(sync).toMatchObject({ status: 'succeeded', lastError: null, figures: { rooms: 1, created: 7 } });
    const columns = ['senderType', 'content', 'attachmentCount', 'isRead', 'createdAt'];
    const rows = (await readMessages()).map((message) => columns.map((column) => message[column]));
    // The room of this case has no time up to which it was read.
    expect(rows).toEqual(MESSAGES.map(([sender, text, files, , at]) => [sender, text, files, sender !== 'client', at]));
    expect(variables()).toEqual([
      {},
      roomPage(),
      stories(),
      stories('1732093920000'),
      roomPage({ subscribed_eq: false, includeHidden_eq: true }),
      roomPage({ includeHidden_eq: true }),
    ]);
  });

  it('are read up to the time that Upwork reports, and belong to the job of the room', async () => {
    const { body: job } = await ann.post('/v1/jobs', { title: 'Speed up slow PostgreSQL queries', upworkJobId: JOB });

    await synchronize('current-user', 'rooms-page', 'stories-page', 'stories-page-same-cursor');

    const rows = await readMessages(`&jobId=${job.id}`);
    expect(rows.map(({ roomId, isRead }) => [roomId, isRead])).toEqual(
      MESSAGES.map(([, , , isRead]) => [ROOM, isRead]),
    );
  });

  it('get their job when it is stored after them', async () => {
    await synchronize('current-user', 'rooms-page', 'stories-page', 'stories-page-same-cursor');
    expect((await readMessages()).map(({ jobId }) => jobId)).toEqual(MESSAGES.map(() => null));
    const { body: job } = await ann.post('/v1/jobs', { title: 'Speed up slow PostgreSQL queries', upworkJobId: JOB });

    const cases = ['current-user', 'rooms-page', 'stories-page', 'stories-page-same-cursor'];
    expect(await synchronize(...cases)).toMatchObject({ figures: { created: 0, updated: 7 } });

    expect(await readMessages(`&jobId=${job.id}`)).toHaveLength(7);
    expect(await synchronize(...cases)).toMatchObject({ figures: { created: 0, updated: 0 } });
  });

  it("of a team mate are corrected when they were taken for the client's, and only then", async () => {
    const cases = ['current-user', 'rooms-page', 'stories-page', 'stories-page-same-cursor'];
    await synchronize(...cases);
    await app.db.query(
      'superuser',
      `UPDATE messages SET sender_type = 'client', is_read = false WHERE user_id = $1 AND sender_type = 'freelancer'`,
      [ann.id],
    );

    expect(await synchronize(...cases)).toMatchObject({ figures: { created: 0, updated: 2 } });

    const senders = async () => (await readMessages()).map(({ senderType, isRead }) => [senderType, isRead]);
    expect(await senders()).toEqual(MESSAGES.map(([sender, , , isRead]) => [sender, isRead]));
    await app.db.query('superuser', `UPDATE messages SET sender_type = 'freelancer' WHERE user_id = $1`, [ann.id]);
    expect(await synchronize(...cases)).toMatchObject({ figures: { created: 0, updated: 0 } });
    expect(await senders()).toEqual(MESSAGES.map(([, , , isRead]) => ['freelancer', isRead]));
  });

  it('are complete except for a story that Upwork could not read', async () => {
    const sync = await synchronize('current-user', 'rooms-page-no-scope', 'stories-page-partial');

    expect(sync).toMatchObject({
      status: 'succeeded',
      lastError: null,
      figures: { rooms: 1, created: 1, unreadable: 1, failedRooms: 0 },
    });
    expect(await readMessages()).toMatchObject([
      { senderType: 'client', content: 'Hi! When can you start?', createdAt: '2026-11-20T09:12:00.000Z' },
    ]);
    expect(variables().slice(2, 4)).toEqual([stories(), stories('1732093920000')]);
  });

  it('are in a conversation with its last message, who waits for whom, and the unread ones', async () => {
    const { body: job } = await ann.post('/v1/jobs', { title: 'Speed up slow PostgreSQL queries', upworkJobId: JOB });
    await synchronize('current-user', 'rooms-page', 'stories-page', 'stories-page-same-cursor');

    const { items } = (await ann.get('/v1/conversations?unread=true')).body;

    expect(items).toMatchObject([
      {
        ...{ roomId: ROOM, title: 'Chris M., Anna B.', topic: 'Speed up slow PostgreSQL queries', jobId: job.id },
        ...{ proposalId: null, unreadCount: 2, lastActivityAt: '2026-11-20T09:19:00.000Z' },
        ...{ lastSenderType: 'client', lastText: 'See the file.', waitingFor: 'freelancer' },
      },
    ]);
    const [conversation] = items;
    expect((await ann.get(`/v1/conversations/${conversation.id}`)).body).toEqual(conversation);
    expect(await readMessages(`&roomId=${ROOM}`)).toHaveLength(7);
    const list = async (query: string): Promise<string[]> =>
      (await ann.get(`/v1/conversations?${query}`)).body.items.map(({ roomId }: Answer['body']) => roomId);
    expect(await list(`jobId=${job.id}&waitingFor=freelancer`)).toEqual([ROOM]);
    expect(await list('waitingFor=client')).toEqual([]);
    expect(await list('unread=false')).toHaveLength(3);

    await ann.post('/v1/messages/read', { jobId: job.id });
    expect(await list('unread=true')).toEqual([]);
    const bob = await createSignedInCaller(app);
    expect((await bob.get(`/v1/conversations/${conversation.id}`)).body.code).toBe('conversation.not_found');
    expect((await bob.get('/v1/conversations')).body.items).toEqual([]);
  });

  it('are linked with a proposal that is stored after them, also while the room is quiet', async () => {
    const { marketplace } = upwork;
    const proposal = marketplace.submit(ann.email, marketplace.publish({ title: 'A job' }).id, 'Hello', '10.00');
    marketplace.writeMessage(proposal.id, 'freelancer', 'Good morning.');
    await synchronize();
    expect((await ann.get('/v1/conversations')).body.items).toMatchObject([
      { proposalId: null, jobId: null, waitingFor: 'client', unreadCount: 0 },
    ]);
    await ann.post('/v1/proposals/sync');
    await worker.runTask('sync-connections');
    marketplace.rooms.length = 0;

    await synchronize();

    const [stored] = (await ann.get('/v1/proposals')).body.items;
    expect((await ann.get('/v1/conversations')).body.items).toMatchObject([
      { proposalId: stored.id, jobId: stored.jobId },
    ]);
    expect(await readMessages(`&jobId=${stored.jobId}`)).toHaveLength(1);
  });

  describe('of rooms that the user left or hid', () => {
    const YESTERDAY_NOON = new Date(Date.now() - (Date.now() % DAY_MS) - DAY_MS / 2);
    /** Visible, hidden, left, both. */
    const STATES = [true, false].flatMap((isSubscribed) =>
      [false, true].map((isHidden) => ({ isSubscribed, isHidden })),
    );

    beforeEach(() => {
      const { marketplace } = upwork;
      marketplace.rooms.length = 0;
      for (const state of STATES) {
        const proposal = marketplace.submit(ann.email, marketplace.publish({ title: 'A job' }).id, 'Hello', '10.00');
        const story = marketplace.writeMessage(proposal.id, 'client', 'Are you still there?');
        Object.assign(story, { createdAt: YESTERDAY_NOON, updatedAt: YESTERDAY_NOON });
        Object.assign(marketplace.rooms[0]!, state);
      }
    });

    const idsOf = (isWanted: (room: FakeRoom) => boolean) =>
      upwork.marketplace.rooms
        .filter(isWanted)
        .map(({ id }) => id)
        .sort();
    /** Returns the rooms of which the first page was read, once for each time. */
    const listRead = () =>
      upwork.calls
        .filter((call) => call.operation === 'RoomStories' && !JSON.stringify(call.variables).includes('"after"'))
        .map((call) => (call.variables['filter'] as { roomId_eq: string }).roomId_eq)
        .sort();

    /** Synchronises as the first run after 23:00 of yesterday. */
    async function synchronizeNextDay(): Promise<Answer['body']> {
      const lastNight = `date_trunc('day', now(), 'UTC') - interval '1 hour'`;
      await app.db.query('superuser', `UPDATE syncs SET watermark = ${lastNight} WHERE kind = 'messages'`);
      upwork.calls.length = 0;
      return synchronize();
    }

    it('arrive once, and each room is read once', async () => {
      expect(await synchronize()).toMatchObject({ figures: { rooms: 4, created: 4 } });

      expect(listRead()).toEqual(idsOf(() => true));
      expect(await readMessages()).toHaveLength(4);
      upwork.calls.length = 0;
      expect(await synchronize()).toMatchObject({ figures: { rooms: 0, created: 0 } });
      expect(upwork.calls.map(({ operation }) => operation)).toEqual(['Rooms']);
    });

    it('are read once a day, without the rooms that are in the default list too', async () => {
      await synchronize();

      expect(await synchronizeNextDay()).toMatchObject({ figures: { rooms: 3, created: 0 } });

      expect(listRead()).toEqual(idsOf(({ isSubscribed, isHidden }) => !isSubscribed || isHidden));
      // The default list is empty; a list with rooms has no end before its second page.
      expect(upwork.calls.filter(({ operation }) => operation === 'Rooms')).toHaveLength(1 + 2 + 2);
    });

    it('are read the next day after a failure, also when the watermark went on without them', async () => {
      const [hidden] = idsOf(({ isSubscribed, isHidden }) => isSubscribed && isHidden);
      upwork.transformResponse = ({ variables }, answer) =>
        JSON.stringify(variables).includes(hidden!) ? { data: { roomStories: null }, errors: FAILED } : answer;
      for (let n = 0; n < 3; n++) await synchronize();
      upwork.transformResponse = (_, answer) => answer;
      expect(await readMessages()).toHaveLength(3);

      expect(await synchronizeNextDay()).toMatchObject({ figures: { created: 1 } });

      expect(await readMessages()).toHaveLength(4);
    });
  });
});

describe(listRoomFilters.name, () => {
  const left = { subscribed_eq: false, includeHidden_eq: true };
  const hidden = { includeHidden_eq: true };

  it('reads everything at first, then what is active, and other rooms in the first run of a day', () => {
    const watermark = new Date('2026-11-20T09:12:00.000Z');
    const active = { activeSince_eq: '2026-11-20T09:07:00.000Z' };

    expect(listRoomFilters(null, watermark)).toEqual([{}, left, hidden]);
    expect(listRoomFilters(watermark, new Date('2026-11-20T23:59:59.999Z'))).toEqual([active]);
    expect(listRoomFilters(watermark, new Date('2026-11-21T00:00:00.000Z'))).toEqual([
      active,
      { ...left, activeSince_eq: '2026-11-19T23:55:00.000Z' },
      { ...hidden, activeSince_eq: '2026-11-19T23:55:00.000Z' },
    ]);
  });
});

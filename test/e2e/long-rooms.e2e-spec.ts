import type { FakeRoom } from '../../src/demo/fake-upwork/fake-marketplace';
import type { FakeAnswer } from '../../src/demo/fake-upwork/fake-schema';
import type { SignedInCaller } from '../support/accounts';
import type { Answer } from '../support/caller';
import { startUpworkApp, type UpworkApp } from '../support/upwork-app';

const MINUTE_MS = 60_000;
/** Pages of a room in one run (the newest stories, and a part of the others), and the two retries of a failed call. */
const MAX_CALLS_PER_RUN = 42;
/** A reader asks for 50 stories. Most tests serve shorter pages: a run is limited by its pages, not its stories. */
const SHORT_PAGE = 10;
const FULL_PAGE = 50;
/** More than the pages of one run, and more than those of two. */
const TWO_RUNS = 30;
const THREE_RUNS = 50;

describe('a room with more stories than one run reads', () => {
  let upworkApp: UpworkApp;
  let ann: SignedInCaller;
  let room: FakeRoom;

  beforeAll(async () => {
    upworkApp = await startUpworkApp();
  });
  beforeEach(async () => {
    ann = await upworkApp.connectUser();
    const { marketplace } = upworkApp.upwork;
    const proposal = marketplace.submit(ann.email, marketplace.publish({ title: 'A job' }).id, 'Hello', '10.00');
    marketplace.writeMessage(proposal.id, 'client', 'The first');
    room = marketplace.rooms[0]!;
    addOlder(TWO_RUNS, SHORT_PAGE);
  });
  afterEach(async () => {
    upworkApp.upwork.marketplace.rooms.length = 0;
    await upworkApp.reset();
  });
  afterAll(() => upworkApp.close());

  /** Adds stories before the oldest one, one per minute, until the room has this number of pages. */
  function addOlder(pages: number, storiesPerPage: number): void {
    upworkApp.upwork.marketplace.maxStoriesPerPage = storiesPerPage;
    for (let n = room.stories.length; n < pages * storiesPerPage; n++) {
      const oldest = room.stories.at(-1)!;
      const createdAt = new Date(oldest.createdAt.getTime() - MINUTE_MS);
      room.stories.push({ ...oldest, id: `${room.id}_${n}`, message: `Story ${n}`, createdAt, updatedAt: createdAt });
    }
  }

  const writeNew = (message: string) => upworkApp.upwork.marketplace.writeMessage(room.proposalId, 'client', message);

  function transformStories(transform: (real: FakeAnswer, call: number) => unknown): void {
    let calls = 0;
    upworkApp.upwork.transformResponse = ({ operation }, real) =>
      operation === 'RoomStories' ? transform(real, (calls += 1)) : real;
  }

  async function synchronize(): Promise<Answer['body']> {
    upworkApp.upwork.calls.length = 0;
    const sync = await upworkApp.synchronize(ann, 'messages');
    expect(countCalls()).toBeLessThanOrEqual(MAX_CALLS_PER_RUN);
    return sync;
  }

  const countCalls = () => upworkApp.upwork.calls.filter(({ operation }) => operation === 'RoomStories').length;
  const listStored = async () => {
    const sql = 'SELECT upwork_message_id AS id FROM messages WHERE user_id = $1';
    return (await upworkApp.app.db.query<{ id: string }>('superuser', sql, [ann.id])).map(({ id }) => id).sort();
  };
  const expectAllStored = async () => expect(await listStored()).toEqual(room.stories.map(({ id }) => id).sort());
  const synchronizeTimes = async (times: number) => {
    for (let n = 0; n < times; n++) expect(await synchronize()).toMatchObject({ status: 'succeeded' });
  };

  it('is stored whole in several runs, each message once, while new ones arrive between the pages', async () => {
    addOlder(THREE_RUNS, FULL_PAGE);
    transformStories((real, call) => {
      if (call % 7 === 0) writeNew(`News ${call}`);
      return real;
    });
    await synchronizeTimes(2);
    upworkApp.upwork.transformResponse = (_, real) => real;
    await synchronizeTimes(3);
    await expectAllStored();
  });

  it('is continued while no list contains it, and what the user has read on Upwork is read', async () => {
    room.lastReadAt = new Date();
    await synchronizeTimes(1);
    room.isSubscribed = false;
    await synchronizeTimes(1);
    await expectAllStored();
    expect((await ann.get('/v1/messages/unread-count')).body).toEqual({ unread: 0 });

    await synchronize();
    expect(countCalls()).toBe(0);
  });

  it('costs two more calls once it is stored, and misses nothing after more news than one run reads', async () => {
    await synchronizeTimes(2);
    await expectAllStored();

    writeNew('One more');
    await synchronize();
    expect(countCalls()).toBe(22);
    await expectAllStored();

    for (let n = 0; n < TWO_RUNS * SHORT_PAGE; n++) writeNew(`News ${n}`);
    await synchronizeTimes(2);
    await expectAllStored();
  });

  it('misses nothing when stories are removed between two runs', async () => {
    await synchronizeTimes(1);
    const removed = room.stories.splice(2 * SHORT_PAGE, 6).map(({ id }) => id);
    await synchronizeTimes(1);
    expect(await listStored()).toEqual([...removed, ...room.stories.map(({ id }) => id)].sort());
  });

  it.each<[string, (real: FakeAnswer) => unknown]>([
    [
      'a story is null once',
      (real) => {
        real.data['roomStories']!.edges[0]!.node = null;
        return { ...real, errors: [{ message: 'Exception', path: ['roomStories', 'edges', 0, 'node'] }] };
      },
    ],
    [
      'a page fails once',
      () => ({ data: { roomStories: null }, errors: [{ message: 'Exception', path: ['roomStories'] }] }),
    ],
  ])('is stored whole when %s', async (_, damage) => {
    transformStories((real, call) => (call === 30 ? damage(real) : real));
    for (let n = 0; n < 3; n++) await synchronize();
    await expectAllStored();
  });
});

import type { FakeUpwork } from '../../src/demo/fake-upwork/fake-upwork';
import type { FakeAnswer } from '../../src/demo/fake-upwork/fake-schema';
import { UpworkMessagesService } from '../../src/messages/upwork-messages.service';
import { SyncsService } from '../../src/sync/syncs.service';
import type { SignedInCaller } from '../support/accounts';
import type { Answer } from '../support/caller';
import { runAsUser } from '../support/run-as-user';
import type { TestApp } from '../support/test-app';
import type { ManualWorker } from '../support/test-worker';
import { startUpworkApp, type UpworkApp } from '../support/upwork-app';

const TWO_HOURS_AGO = new Date(Date.now() - 7_200_000);

type Variables = Record<string, Record<string, unknown> | undefined>;

describe('the rooms of a synchronisation', () => {
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
    ann = await upworkApp.connectUser();
  });
  afterEach(async () => {
    upwork.marketplace.rooms.length = 0;
    jest.restoreAllMocks();
    await upworkApp.reset();
  });
  afterAll(() => upworkApp.close());

  /** Opens quiet rooms with a message each; returns their ids in the order of the list. */
  function openRooms(count: number): string[] {
    const { marketplace } = upwork;
    for (let n = 0; n < count; n++) {
      const sent = marketplace.submit(ann.email, marketplace.publish({ title: `Job ${n}` }).id, 'Hi', '10.00');
      const story = marketplace.writeMessage(sent.id, 'client', `News ${n}`);
      Object.assign(story, { createdAt: TWO_HOURS_AGO, updatedAt: TWO_HOURS_AGO });
    }
    return marketplace.rooms.map(({ id }) => id);
  }

  /** Replaces answers to an operation where `isChosen` says so. */
  function answer(
    operation: string,
    isChosen: (variables: Variables) => boolean,
    replace: (real: FakeAnswer) => unknown,
  ) {
    upwork.transformResponse = (call, real) =>
      call.operation === operation && isChosen(call.variables as Variables) ? replace(real) : real;
  }

  const fail = (field: string, message = 'Exception while fetching data') => ({
    data: { [field]: null },
    errors: [{ message, path: [field], extensions: { classification: 'DataFetchingException' } }],
  });
  const breakRooms = (...ids: string[]) =>
    answer(
      'RoomStories',
      ({ filter }) => ids.includes(String(filter?.['roomId_eq'])),
      () => fail('roomStories'),
    );
  const heal = () => (upwork.transformResponse = (_, real) => real);

  async function request(): Promise<number> {
    upwork.calls.length = 0;
    return (await ann.post('/v1/messages/sync')).body.items[0].id;
  }

  function synchronize(): Promise<Answer['body']> {
    upwork.calls.length = 0;
    return upworkApp.synchronize(ann, 'messages');
  }

  /** Returns the rooms that were asked for since the last request. */
  const listAsked = () => [
    ...new Set(
      upwork.calls.flatMap(({ variables }) => (variables['filter'] as { roomId_eq?: string })?.roomId_eq ?? []),
    ),
  ];
  const countMessages = async () => (await ann.get('/v1/messages?limit=100')).body.items.length;

  it('are each read, and the broken ones alone in two further runs, then once a day', async () => {
    const [first, ...others] = openRooms(5);
    const broken = [first!, others[0]!];
    breakRooms(...broken);

    expect(await synchronize()).toMatchObject({
      ...{ status: 'succeeded', lagSeconds: null },
      figures: { rooms: 3, created: 3, failedRooms: 2 },
    });
    // A quiet room that was read keeps the two broken ones from being taken for an outage.
    const { id } = upwork.marketplace.rooms.at(-1)!;
    const asked: string[][] = [];
    for (let n = 0; n < 3; n++) {
      upwork.marketplace.rooms.find((room) => room.id === id)!.stories[0]!.updatedAt = new Date();
      await synchronize();
      asked.push(listAsked().sort());
    }
    expect(asked).toEqual([[...broken, id].sort(), [...broken, id].sort(), [id]]);

    heal();
    await app.db.query('superuser', `UPDATE syncs SET watermark = watermark - interval '1 day'`);
    expect(await synchronize()).toMatchObject({
      lagSeconds: expect.any(Number),
      figures: { created: 2, failedRooms: 0 },
    });
    const missed = await app.db.query('superuser', `SELECT FROM syncs WHERE list_positions <> '{}'`);
    expect(missed).toEqual([]);
  });

  it('do not wait for one that stays broken alone', async () => {
    const [broken] = openRooms(1);
    breakRooms(broken!);

    const ends = [await synchronize(), await synchronize(), await synchronize()];

    expect(ends.map(({ status }) => status)).toEqual(['failed', 'failed', 'succeeded']);
    expect(ends[2]).toMatchObject({
      lagSeconds: expect.any(Number),
      lastError: expect.stringContaining('1 of 1 failed'),
    });
  });

  it('all stay unread while Upwork can read none', async () => {
    const ids = openRooms(2);
    breakRooms(...ids);
    for (let n = 0; n < 4; n++) expect(await synchronize()).toMatchObject({ status: 'failed', lagSeconds: null });
    heal();

    expect(await synchronize()).toMatchObject({ status: 'succeeded', figures: { created: 2 } });
  });

  it.each<[string, string, (real: FakeAnswer) => unknown]>([
    [
      'a room is null once',
      'Rooms',
      (real) => {
        real.data['roomList']!.edges[0]!.node = null;
        return { ...real, errors: fail('roomList').errors };
      },
    ],
    [
      'a page has no cursor',
      'Rooms',
      (real) => {
        Object.assign(real.data['roomList']!, { pageInfo: null });
        return { ...real, errors: fail('roomList').errors };
      },
    ],
    [
      'a story is null once',
      'RoomStories',
      (real) => {
        const { edges } = real.data['roomStories']!;
        if (edges.length > 0) edges[0]!.node = null;
        return { ...real, errors: fail('roomStories').errors };
      },
    ],
  ])('are all read in the next run when %s', async (_, operation, damage) => {
    openRooms(51);
    let isDamaged = false;
    answer(
      operation,
      () => !isDamaged,
      (real) => {
        isDamaged = true;
        return damage(real);
      },
    );

    expect(await synchronize()).toMatchObject({ status: 'succeeded', lagSeconds: null });
    expect(await countMessages()).toBeLessThan(51);
    expect(await synchronize()).toMatchObject({ status: 'succeeded', lagSeconds: expect.any(Number) });
    expect(await countMessages()).toBe(51);
    expect(listAsked().length).toBeLessThanOrEqual(1);
  });

  it('are read when they are active, also while Upwork can never read a page of the others', async () => {
    openRooms(51);
    answer(
      'Rooms',
      ({ filter, pagination }) => filter?.['activeSince_eq'] === undefined && pagination?.['after'] === '50',
      () => fail('roomList'),
    );
    expect(await synchronize()).toMatchObject({ status: 'failed' });
    const { proposalId } = upwork.marketplace.rooms[7]!;
    upwork.marketplace.writeMessage(proposalId, 'client', 'Another one');

    expect(await synchronize()).toMatchObject({ status: 'failed' });

    expect(listAsked()).toEqual([upwork.marketplace.rooms[7]!.id]);
    expect(await countMessages()).toBe(51);
  });

  it('are all read, on any number of pages', async () => {
    openRooms(30);
    upwork.transformResponse = ({ operation, variables }, real) => {
      if (operation !== 'Rooms') return real;
      const [edge, ...others] = real.data['roomList']!.edges;
      const page = Number((variables as Variables)['pagination']?.['after'] ?? 0) + 1;
      const pageInfo = { hasNextPage: others.length > 0, endCursor: String(page) };
      return { data: { roomList: { edges: edge ? [edge] : [], pageInfo } } };
    };

    expect(await synchronize()).toMatchObject({
      ...{ status: 'succeeded', lagSeconds: expect.any(Number) },
      figures: { rooms: 30, created: 30 },
    });
  });

  it('are waited for when a list does not end', async () => {
    openRooms(1);
    let pages = 0;
    answer(
      'Rooms',
      ({ filter }) => filter?.['includeHidden_eq'] === undefined,
      (real) => {
        const { edges } = real.data['roomList']!;
        pages += 1;
        return { data: { roomList: { edges: edges.length > 0 ? edges : [{}], pageInfo: { endCursor: `${pages}` } } } };
      },
    );

    expect(await synchronize()).toMatchObject({ status: 'succeeded', lagSeconds: null, figures: { rooms: 1 } });
    expect(pages).toBe(200);
  });

  it('are read again after an internal error', async () => {
    openRooms(2);
    jest.spyOn(UpworkMessagesService.prototype, 'store').mockRejectedValueOnce(new Error('an internal error'));

    expect(await synchronize()).toMatchObject({ lagSeconds: null, figures: { rooms: 1, failedRooms: 1 } });
    expect(await synchronize()).toMatchObject({
      lagSeconds: expect.any(Number),
      figures: { rooms: 1, failedRooms: 0 },
    });
  });

  it('are read while Upwork refuses the list of those that the user left', async () => {
    openRooms(2);
    answer(
      'Rooms',
      ({ filter }) => filter?.['subscribed_eq'] === false,
      () => fail('roomList', 'VJCA-6 Incorrect value'),
    );

    const ends = [await synchronize(), await synchronize(), await synchronize()];

    expect(ends[0]).toMatchObject({ status: 'succeeded', figures: { rooms: 2 } });
    expect(ends[0].lastError).toContain('1 of 3 failed');
    expect(ends.map(({ lagSeconds }) => lagSeconds)).toEqual([null, null, expect.any(Number)]);
  });

  it('are read in several runs when one run ends early', async () => {
    const ids = openRooms(4);
    const stop = new AbortController();
    answer(
      'RoomStories',
      () => true,
      (real) => {
        stop.abort();
        return real;
      },
    );
    const id = await request();

    expect(await runAsUser(ann.id, () => app.get(SyncsService).run(id, stop.signal))).toEqual({
      status: 'interrupted',
    });
    expect(listAsked()).toEqual(ids.slice(0, 1));
    const isRequested = 'SELECT next_at <= now() AND next_at = requested_at AS is FROM syncs WHERE id = $1';
    expect(await app.db.query('superuser', isRequested, [id])).toEqual([{ is: true }]);
    heal();
    upwork.calls.length = 0;
    upwork.marketplace.rooms[0]!.stories[0]!.updatedAt = new Date();
    await worker.runTask('sync-connections');

    // The first room was active since, and must not delay the others.
    expect(listAsked()).toEqual([...ids.slice(1), ids[0]]);
    expect((await ann.get(`/v1/syncs/${id}`)).body).toMatchObject({
      status: 'succeeded',
      lagSeconds: expect.any(Number),
    });
  });

  it('keep the lease of their run, and end when another worker has it', async () => {
    const ids = openRooms(3);
    const timers = jest.spyOn(global, 'setInterval');
    const renewals = jest.spyOn(SyncsService.prototype as unknown as { renewLease: () => Promise<void> }, 'renewLease');
    const id = await request();
    // A timer keeps the context in which it was set.
    const renew = () =>
      runAsUser(ann.id, async () => {
        for (const [tick, everyMs] of timers.mock.calls) if (everyMs === 60_000) tick();
        await Promise.all(renewals.mock.results.map(({ value }) => value as Promise<void>));
      });
    const update = (change: string) => app.db.query('superuser', `UPDATE syncs SET ${change} WHERE id = $1`, [id]);
    const isTrue = async (condition: string) =>
      (await app.db.query('superuser', `SELECT FROM syncs WHERE id = $1 AND ${condition}`, [id])).length === 1;
    const steps = [
      async () => {
        await update(`lease_until = now() + interval '1 s'`);
        await renew();
        expect(await isTrue(`lease_until > now() + interval '1 minute'`)).toBe(true);
      },
      async () => {
        await renew();
        expect(await isTrue(`list_positions ? '${ids[0]}'`)).toBe(true);
        await update(`lease_owner = 'another'`);
        await renew();
      },
    ];
    upwork.transformResponse = async ({ operation, variables }, real) => {
      const isFirstPage = operation === 'RoomStories' && !JSON.stringify(variables).includes('"after"');
      if (isFirstPage) await steps.shift()?.();
      return real;
    };

    expect(await runAsUser(ann.id, () => app.get(SyncsService).run(id))).toEqual({ status: 'interrupted' });
    expect(listAsked()).toEqual(ids.slice(0, 2));
    expect(await isTrue(`lease_owner = 'another'`)).toBe(true);
  });
});

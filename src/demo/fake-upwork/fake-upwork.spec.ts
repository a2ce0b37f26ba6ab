import { FAKE_CASES } from './fake-cases';
import type { FakeAnswer } from './fake-schema';
import { FakeUpwork } from './fake-upwork';

/** Answer to a query, with the nodes of its only connection. */
interface Page extends FakeAnswer<Record<string, unknown> | null> {
  readonly ids: readonly (string | null)[];
  readonly pageInfo: unknown;
}

const SEARCH = `query Search($filter: MarketplaceJobPostingsSearchFilter) {
  marketplaceJobPostingsSearch(marketPlaceJobFilter: $filter) {
    totalCount edges { node { id category client { verificationStatus } skills { name } } } PAGE
  }
}`;

const PROPOSALS = `query Proposals($list: VendorProposalStatusFilterInput!, $pagination: Pagination!) {
  vendorProposals(
    filter: { status_eq: $list }, sortAttribute: { field: MODIFIEDDATETIME, sortOrder: DESC }, pagination: $pagination
  ) { edges { node { id status { status } } } PAGE }
}`;

const STORIES = `query Stories($filter: RoomStoryFilter) {
  roomStories(filter: $filter) { edges { node { id organization { id } } } PAGE }
}`;

const ROOMS = `{ roomList { edges { node { id numUnread latestStory { id } vendorProposal { id } } } PAGE } }`;

describe(FakeUpwork.name, () => {
  let upwork: FakeUpwork;
  let accessToken: string;

  beforeEach(async () => {
    upwork = await new FakeUpwork().start();
    upwork.limitPerSecond = Infinity;
    ({ accessToken } = upwork.grants.issueTokens('ann'));
  });
  afterEach(() => upwork.stop());

  function post(body: object, token = accessToken): Promise<Response> {
    const headers = { authorization: `Bearer ${token}` };
    return fetch(`${upwork.url}/graphql`, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  async function send(text: string, variables: object = {}): Promise<Page> {
    const query = text.replace('PAGE', 'pageInfo { hasNextPage endCursor }');
    const answer = (await (await post({ query, variables })).json()) as FakeAnswer<Record<string, unknown> | null>;
    const [connection] = Object.values(answer.data ?? {}) as Record<string, unknown>[];
    const edges = (connection?.['edges'] ?? []) as ({ node: { id: string } | null } | null)[];
    return { ...answer, ids: edges.map((edge) => edge?.node?.id ?? null), pageInfo: connection?.['pageInfo'] };
  }

  const search = (after: string | null | undefined, first = 2) =>
    send(SEARCH, { filter: { searchExpression_eq: 'sql', pagination_eq: { after, first } } });
  const list = (status: string, first = 20, after?: string) =>
    send(PROPOSALS, { list: status, pagination: { first, after } });

  it('pages a search by counting, and refuses one without a cursor', async () => {
    const ids = ['SQL 1', 'SQL 2', 'SQL 3'].map((title) => upwork.marketplace.publish({ title }).id).reverse();

    for (const after of [null, undefined, 'x']) {
      expect(await search(after)).toMatchObject({
        data: { marketplaceJobPostingsSearch: null },
        errors: [{ message: '500: Exception occurred', path: ['marketplaceJobPostingsSearch'] }],
      });
    }
    expect(await search('0')).toMatchObject({
      ids: ids.slice(0, 2),
      pageInfo: { hasNextPage: true, endCursor: '2' },
    });
    expect(await search('2')).toMatchObject({ ids: ids.slice(2), pageInfo: { hasNextPage: false, endCursor: '3' } });
    expect(await search('3')).toMatchObject({ ids: [], pageInfo: { hasNextPage: null, endCursor: null } });
  });

  it('returns nulls: for a search without results, and in the jobs of new clients', async () => {
    expect((await search('0')).data).toEqual({
      marketplaceJobPostingsSearch: { totalCount: 0, edges: null, pageInfo: null },
    });
    upwork.marketplace.publish({ title: 'SQL', skills: ['SQL'], isSparse: true });

    expect(JSON.stringify((await search('0')).data)).toContain(
      '"category":null,"client":{"verificationStatus":null},"skills":[{"name":"sql"},null]',
    );
  });

  it('refuses pages of proposals above 20, and cursors of others', async () => {
    for (const refused of [await list('Accepted', 21), await list('Accepted', 20, '0')]) {
      expect(refused).toMatchObject({
        data: null,
        errors: [
          { message: expect.stringContaining('VJCA-6'), extensions: { classification: 'DataFetchingException' } },
        ],
      });
    }
    for (let n = 0; n < 21; n++) upwork.marketplace.submit('ann', String(n), '', '1.00');
    const first = await list('Accepted');

    expect(first.ids).toHaveLength(20);
    expect(first.pageInfo).toEqual({ hasNextPage: true, endCursor: 'eyJvIjoyMH0=' });
    expect(await list('Accepted', 20, 'eyJvIjoyMH0=')).toMatchObject({
      ids: [upwork.marketplace.proposals.at(-1)!.id],
      pageInfo: { hasNextPage: false, endCursor: null },
    });
  });

  it('lists open proposals in the lists of others, and unknown statuses with the open ones', async () => {
    const statuses = ['Accepted', 'Declined', 'Hired', 'Invalid', 'Shortlisted'];
    const ids = Object.fromEntries(
      statuses.map((status) => [status, upwork.marketplace.submit('ann', '1', '', '1.00').id]),
    );
    for (const [status, id] of Object.entries(ids)) upwork.marketplace.setStatus(id, status);
    const listed = async (name: string) => [...(await list(name)).ids].sort();

    expect(await listed('Accepted')).toEqual([ids['Accepted'], ids['Shortlisted']]);
    expect(await listed('Hired')).toEqual([ids['Accepted'], ids['Hired']]);
    expect(await listed('Declined')).toEqual([ids['Accepted'], ids['Declined']]);
    expect(await listed('Pending')).toEqual([ids['Invalid']]);
    expect(await listed('Offered')).toEqual([]);
  });

  it('does not move the cursor at the end of a conversation', async () => {
    const { id } = upwork.marketplace.submit('ann', '1', '', '1.00');
    const story = upwork.marketplace.writeMessage(id, 'client', 'Hello');
    const rooms = await send(ROOMS);
    expect(JSON.stringify(rooms.data)).toContain(
      `"numUnread":1,"latestStory":{"id":"${story.id}"},"vendorProposal":{"id":"${id}"}`,
    );
    const read = (after?: string) =>
      send(STORIES, { filter: { roomId_eq: rooms.ids[0], storyFilter: { pagination: { first: 5, after } } } });

    expect(await read()).toMatchObject({ ids: [story.id], pageInfo: { hasNextPage: null, endCursor: '1' } });
    expect(await read('1')).toMatchObject({ ids: [], pageInfo: { hasNextPage: null, endCursor: '1' } });
    expect((await send(STORIES, { filter: { roomId_eq: 'another' } })).data).toEqual({ roomStories: null });
  });

  it('lists the rooms that the user neither left nor hid, and the others when it is asked for them', async () => {
    const open = (state: object) => {
      upwork.marketplace.writeMessage(upwork.marketplace.submit('ann', '1', '', '1.00').id, 'client', 'Hello');
      return Object.assign(upwork.marketplace.rooms[0]!, state).id;
    };
    const [plain, left] = [open({}), open({ isSubscribed: false })];
    const [hidden, both] = [open({ isHidden: true }), open({ isSubscribed: false, isHidden: true })];
    const listRooms = (filter?: object) =>
      send('query Rooms($filter: RoomFilter) { roomList(filter: $filter) { edges { node { id hidden } } PAGE } }', {
        filter,
      });

    expect((await listRooms()).ids).toEqual([plain]);
    expect((await listRooms({ subscribed_eq: true, includeHidden_eq: false })).ids).toEqual([plain]);
    expect((await listRooms({ subscribed_eq: false })).ids).toEqual([left]);
    expect((await listRooms({ subscribed_eq: false, includeHidden_eq: true })).ids).toEqual([both, left]);
    const withHidden = await listRooms({ includeHidden_eq: true });
    expect(withHidden.ids).toEqual([hidden, plain]);
    expect(JSON.stringify(withHidden.data)).toContain(`{"id":"${hidden}","hidden":true}`);
  });

  it('adds a node that cannot be read to one list in fifty', async () => {
    const { id } = upwork.marketplace.publish({ title: 'SQL' });
    const answers: Page[] = [];
    for (let n = 0; n < 100; n++) answers.push(await search('0'));

    const partial = answers.filter(({ errors }) => errors !== undefined);
    expect(partial.map((answer) => answers.indexOf(answer) + 1)).toEqual([50, 100]);
    expect(partial[0]).toMatchObject({
      ids: [id, null],
      errors: [
        {
          path: ['marketplaceJobPostingsSearch', 'edges', 1, 'node'],
          extensions: { classification: 'NullValueInNonNullableField' },
        },
      ],
    });
    upwork.partialEvery = 0;
    for (let n = 0; n < 60; n++) expect((await search('0')).errors).toBeUndefined();
  });

  it('answers a proxy, a limit without Retry-After, a dead token and a missing permission as Upwork does', async () => {
    const { headers, status } = await (upwork.faults.schedule('graphql', 'proxy'), post({}));
    expect([status, headers.get('content-type')]).toEqual([403, 'text/html']);
    const limited = await (upwork.faults.schedule('graphql', '429'), post({}));
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, null]);
    const dead = await post({ query: '{ user { id } }' }, 'unknown');
    expect([dead.status, await dead.json()]).toEqual([401, { message: 'Authentication failed' }]);

    expect(await send('{ organization { id } }')).toMatchObject({
      errors: [{ message: expect.stringContaining('permissions/scopes'), path: ['organization'] }],
    });
    expect(await send('{ user { id }')).toMatchObject({
      data: null,
      errors: [{ extensions: { classification: 'InvalidSyntax' } }],
    });
    expect(await send(PROPOSALS, { list: 'Shortlisted', pagination: { first: 1 } })).toMatchObject({
      data: null,
      errors: [{ extensions: { classification: 'ValidationError' } }],
    });
    expect(await send('{ __type(name: "Money") { fields { name } } }')).toMatchObject({
      data: { __type: { fields: [{ name: 'rawValue' }, { name: 'currency' }, { name: 'displayValue' }] } },
    });
  });

  it('names no scopes unless it must, and needs no PKCE', async () => {
    const url = new URL(`${upwork.url}/ab/account-security/oauth2/authorize`);
    url.search = String(new URLSearchParams({ client_id: 'fake-client', redirect_uri: 'http://127.0.0.1/back' }));
    const { headers } = await fetch(url, { redirect: 'manual' });
    const code = new URL(headers.get('location')!).searchParams.get('code')!;
    const form = { client_id: 'fake-client', client_secret: 'fake-secret', grant_type: 'authorization_code', code };

    const body = new URLSearchParams({ ...form, redirect_uri: 'http://127.0.0.1/back' });
    const answer = await fetch(`${upwork.url}/api/v3/oauth2/token`, { method: 'POST', body });

    expect(Object.keys((await answer.json()) as object).sort()).toEqual([
      'access_token',
      'expires_in',
      'refresh_token',
      'token_type',
    ]);
  });

  describe('with a case', () => {
    const control = (body: object) =>
      fetch(`${upwork.url}/control/serve`, { method: 'POST', body: JSON.stringify(body) });

    it.each(Object.entries(FAKE_CASES).filter(([, each]) => !('field' in each)))(
      'sends %s as it is, once',
      async (name, { endpoint, status, headers, body }) => {
        expect((await control({ name })).status).toBe(200);
        const path = endpoint === 'token' ? '/api/v3/oauth2/token' : '/graphql';

        const answer = await fetch(upwork.url + path, { method: 'POST', body: '{}' });

        const text = await answer.text();
        expect([answer.status, text]).toEqual([
          status,
          typeof body === 'string' ? body : body ? JSON.stringify(body) : '',
        ]);
        expect(Object.fromEntries(answer.headers)).toMatchObject(headers);
        expect((await post({ query: '{ user { id } }' })).status).toBe(200);
      },
    );

    it('serves it to the first document that asks for its field, and leaves out what is not asked for', async () => {
      await control({ name: 'proposals-unknown-status' });
      await control({ name: 'stories-page-partial' });

      expect((await send('{ user { id } }')).data).toEqual({ user: { id: 'ann' } });
      expect(await list('Accepted')).toMatchObject({ ids: ['1991500000000000020'] });
      expect((await list('Accepted')).ids).toEqual([]);
      expect(await send(STORIES, { filter: { roomId_eq: 'any' } })).toMatchObject({
        ids: ['story_0002', null],
        errors: [{ path: ['roomStories', 'edges', 1, 'node', 'user'] }],
      });
    });

    it('refuses a name that it does not know', async () => {
      const answer = await control({ name: 'jobs-pages' });

      expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('jobs-page-last')]);
    });
  });
});

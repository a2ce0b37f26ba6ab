import { ANNA, TEAM_MATE_ID } from './account-cases';
import { buildDataCase, buildMissingField } from './fake-case';

const ROOM_ID = 'room_3f1c8a7e2b904d56';
/** Cursors of stories are instants in milliseconds. */
const STORIES_CURSOR = '1732093920000';

const FREELANCER = { user: { id: ANNA.userId }, organization: { id: ANNA.organizationId } };
const TEAM_MATE = { user: { id: TEAM_MATE_ID }, organization: { id: ANNA.organizationId } };
const CLIENT = { user: { id: '1400000000000000001' }, organization: { id: '1400000000000000101' } };

function buildRoom(id: string, fields: Readonly<Record<string, unknown>>) {
  const empty = { roomName: null, topic: null, lastReadDateTime: null, contractId: null, vendorProposal: null };
  return { node: { id, ...empty, numUnread: 0, ...fields } };
}

function buildVendorProposal(number: number) {
  const [id, jobId] = [1_991_500_000_000_000_000n + BigInt(number), 1_991_400_000_000_000_100n + BigInt(number)];
  return { id: String(id), marketplaceJobPosting: { id: String(jobId) } };
}

const ROOMS = [
  buildRoom(ROOM_ID, {
    ...{ roomName: 'Chris M., Anna B.', topic: 'Speed up slow PostgreSQL queries', roomType: 'INTERVIEW' },
    ...{ numUnread: 2, lastReadDateTime: '2026-11-20T09:15:00.000Z', vendorProposal: buildVendorProposal(2) },
  }),
  buildRoom('room_77aa01f4c2d34e90', { roomName: 'Chris M.', roomType: 'ONE_ON_ONE' }),
  buildRoom('room_9b5e6c1d0f7842aa', {
    ...{ roomName: 'Project Alpha', topic: 'weekly', roomType: 'GROUP', contractId: '43210987' },
  }),
  buildRoom('room_c0ffee00c0ffee00', {
    ...{ roomType: 'INTERVIEW', contractId: '43210988', vendorProposal: buildVendorProposal(4) },
  }),
  { node: null },
  null,
];

type Author = typeof FREELANCER;

/** Builds a story of a minute after nine; `fields` replace its own. */
function buildStory(
  number: number,
  author: Author,
  message: string | null,
  fields: Readonly<Record<string, unknown>> = {},
) {
  const createdDateTime = `2026-11-20T09:1${number}:00.000Z`;
  const node = { id: `story_000${number}`, createdDateTime, updatedDateTime: createdDateTime, message, ...author };
  return { node: { ...node, attachments: null, ...fields } };
}

const buildFile = (objectReferenceId: string) => ({ attachments: [{ objectReferenceId, objectType: 'FILE' }] });

/** The oldest story, whose instants have another form. */
const OLDEST_STORY = buildStory(2, CLIENT, 'Hi! When can you start?', {
  createdDateTime: '2026-11-20T09:12:00+0000',
  updatedDateTime: '2026-11-20T09:12:00+0000',
});

/** Texts, files, an event without either, a team mate, and an edited story. */
const STORIES = [
  buildStory(9, CLIENT, 'See the file.', buildFile('1991600000000000001')),
  buildStory(8, CLIENT, '', buildFile('1991600000000000002')),
  buildStory(7, CLIENT, null),
  buildStory(6, FREELANCER, 'I can start Monday.\r\nRegards, Anna'),
  buildStory(5, TEAM_MATE, 'Anna is our expert for this.'),
  buildStory(4, CLIENT, 'First', { updatedDateTime: '2026-11-20T11:00:00.000Z' }),
  buildStory(3, CLIENT, 'if (a < b) { … } <script>alert(1)</script> **bold** https://example.com/x?y=1&z=2'),
  OLDEST_STORY,
];

const ROOM_VARIABLES = { filter: {}, pagination: { first: 50 } };

function buildStoryVariables(after?: string) {
  const pagination = { first: 50, ...(after !== undefined && { after }) };
  return { filter: { roomId_eq: ROOM_ID, storyFilter: { pagination } } };
}

function buildStories(edges: readonly unknown[], hasNextPage: boolean | null) {
  return { roomStories: { edges, pageInfo: { hasNextPage, endCursor: STORIES_CURSOR } } };
}

/** Cases of rooms and their stories. */
export const CONVERSATION_CASES = {
  'rooms-page': buildDataCase(ROOM_VARIABLES, {
    roomList: { edges: ROOMS, pageInfo: { hasNextPage: null, endCursor: '4' } },
  }),
  'rooms-page-no-scope': buildDataCase(
    ROOM_VARIABLES,
    {
      roomList: {
        edges: [buildRoom(ROOM_ID, { roomType: 'INTERVIEW', numUnread: 2 })],
        pageInfo: { hasNextPage: false, endCursor: '1' },
      },
    },
    [
      {
        message: "Your OAuth2 permissions/scopes don't allow access to this field",
        path: ['roomList', 'edges', 0, 'node', 'vendorProposal'],
        extensions: { classification: 'DataFetchingException' },
      },
    ],
  ),
  'stories-page': buildDataCase(buildStoryVariables(), buildStories(STORIES, true)),
  'stories-page-partial': buildDataCase(buildStoryVariables(), buildStories([OLDEST_STORY, { node: null }], null), [
    buildMissingField(['roomStories', 'edges', 1, 'node', 'user']),
  ]),
  'stories-page-same-cursor': buildDataCase(buildStoryVariables(STORIES_CURSOR), buildStories([OLDEST_STORY], true)),
  'send-message': buildDataCase(
    { input: { roomId: ROOM_ID, message: 'On Monday.' } },
    {
      createRoomStoryV2: {
        id: 'story_0010',
        createdDateTime: '2026-11-20T09:30:00.000Z',
        updatedDateTime: '2026-11-20T09:30:00.000Z',
        message: 'On Monday.',
        ...FREELANCER,
      },
    },
  ),
};

import { z } from 'zod';
import {
  buildConnectionSchema,
  defineDocument,
  flag,
  id,
  instant,
  optional,
  optionalInstant,
  text,
} from './upwork-document';

const room = z.object({
  id,
  roomName: text,
  topic: text,
  hidden: flag,
  lastReadDateTime: optionalInstant,
  vendorProposal: optional(z.object({ id, marketplaceJobPosting: optional(z.object({ id })) })),
});

/** Conversation on Upwork. */
export type UpworkRoom = z.output<typeof room>;

/** Lists conversations that match a filter. */
export const ROOMS = defineDocument(
  'Rooms',
  `query Rooms($filter: RoomFilter, $pagination: Pagination) {
    roomList(filter: $filter, pagination: $pagination) {
      edges { node { id roomName topic hidden lastReadDateTime vendorProposal { id marketplaceJobPosting { id } } } }
      pageInfo { hasNextPage endCursor }
    }
  }`,
  z.object({ roomList: buildConnectionSchema(room) }),
);

const story = z.object({
  id,
  createdDateTime: instant,
  message: text,
  user: optional(z.object({ id })),
  /** The organization for which the author writes; team mates have the same one. */
  organization: optional(z.object({ id })),
  attachments: optional(z.array(optional(z.object({ objectReferenceId: text, objectType: text })))),
});

/** Message of a conversation. */
export type UpworkStory = z.output<typeof story>;

/** Lists the messages of a conversation, newest first. Its filter contains the pagination. */
export const ROOM_STORIES = defineDocument(
  'RoomStories',
  `query RoomStories($filter: RoomStoryFilter) {
    roomStories(filter: $filter) {
      edges {
        node { id createdDateTime message user { id } organization { id } attachments { objectReferenceId objectType } }
      }
      pageInfo { hasNextPage endCursor }
    }
  }`,
  z.object({ roomStories: buildConnectionSchema(story) }),
);

/** Writes a message. Asks for its id only: an unreadable field would make the answer look like a failure. */
export const SEND_MESSAGE = defineDocument(
  'SendMessage',
  `mutation SendMessage($input: RoomStoryCreateInputV2!) {
    createRoomStoryV2(input: $input) { id }
  }`,
  z.object({ createRoomStoryV2: z.object({ id }) }),
);

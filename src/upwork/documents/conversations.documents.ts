import { z } from 'zod';
import { buildConnectionSchema, defineDocument, id, instant, optionalInstant, text } from './upwork-document';

const room = z.object({
  id,
  lastReadDateTime: optionalInstant,
  vendorProposal: z.object({ id }).nullish(),
});

/** Conversation on Upwork. */
export type UpworkRoom = z.output<typeof room>;

/** Lists conversations that match a filter. */
export const ROOMS = defineDocument(
  'Rooms',
  `query Rooms($filter: RoomFilter, $pagination: Pagination) {
    roomList(filter: $filter, pagination: $pagination) {
      edges { node { id lastReadDateTime vendorProposal { id } } }
      pageInfo { hasNextPage endCursor }
    }
  }`,
  z.object({ roomList: buildConnectionSchema(room) }),
);

const story = z.object({
  id,
  createdDateTime: instant,
  message: text,
  user: z.object({ id }).nullish(),
});

/** Message of a conversation. */
export type UpworkStory = z.output<typeof story>;

/** Lists the messages of a conversation, newest first. Its filter contains the pagination. */
export const ROOM_STORIES = defineDocument(
  'RoomStories',
  `query RoomStories($filter: RoomStoryFilter) {
    roomStories(filter: $filter) {
      edges { node { id createdDateTime message user { id } } }
      pageInfo { hasNextPage endCursor }
    }
  }`,
  z.object({ roomStories: buildConnectionSchema(story) }),
);

import { Injectable } from '@nestjs/common';
import { ROOM_STORIES, type UpworkStory } from '../upwork/documents/conversations.documents';

import { readPages, type UpworkAnswer, type UpworkCaller, UpworkClientService } from '../upwork/upwork-client.service';
import { toMessageInputs } from './story-messages';
import { UpworkMessagesService, type StoredMessages, type UpworkRoomInput } from './upwork-messages.service';

const PAGE_SIZE = 50;
/** Messages older than the newest thousand of a room keep their stored text. */
const MAX_PAGES = 20;

/** Returns the data of an answer; a synchronisation also records what is missing in it. */
type ReadAnswer = <Data>(answer: UpworkAnswer<Data>) => Data;

interface ReadStories {
  readonly stories: UpworkStory[];
  readonly unreadable: number;
}

/** Reads the stories of rooms on Upwork and stores them. */
@Injectable()
export class UpworkRoomsService {
  constructor(
    private readonly upwork: UpworkClientService,
    private readonly messages: UpworkMessagesService,
  ) {}

  /**
   * Reads the stories of a room and stores its messages. One unit of work, after the calls.
   * @param upworkUserId the user of the connection
   * @throws UpworkError
   */
  async import(
    room: UpworkRoomInput,
    upworkUserId: string,
    caller: UpworkCaller,
    readAnswer: ReadAnswer,
  ): Promise<StoredMessages & { readonly unreadable: number }> {
    const { stories, unreadable } = await this.readStories(room.roomId, caller, readAnswer);
    return { ...(await this.messages.store(room, toMessageInputs(stories, upworkUserId, caller))), unreadable };
  }

  /** Reads the stories: they are sorted by creation time, so an edited one may be on any page. */
  private async readStories(roomId: string, caller: UpworkCaller, readAnswer: ReadAnswer): Promise<ReadStories> {
    // A new story moves others to the next page, where they appear again.
    const found = new Map<string, UpworkStory>();
    let unreadableCount = 0;
    const read = async (after?: string) => {
      const filter = { roomId_eq: roomId, storyFilter: { pagination: { after, first: PAGE_SIZE } } };
      return readAnswer(await this.upwork.call(ROOM_STORIES, { filter }, caller)).roomStories;
    };
    for await (const { nodes, unreadable } of readPages(MAX_PAGES, read)) {
      for (const story of nodes) found.set(story.id, story);
      unreadableCount += unreadable;
    }
    return { stories: [...found.values()], unreadable: unreadableCount };
  }
}

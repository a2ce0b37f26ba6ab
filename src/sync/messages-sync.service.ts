import { Injectable } from '@nestjs/common';
import {
  UpworkMessagesService,
  type UpworkMessageInput,
  type UpworkRoomInput,
} from '../messages/upwork-messages.service';
import { truncateToCodePoints } from '../platform/http/validation/text';
import { CURRENT_USER } from '../upwork/documents/account.documents';
import { ROOMS, ROOM_STORIES, type UpworkRoom, type UpworkStory } from '../upwork/documents/conversations.documents';
import { readPages, type UpworkCaller, UpworkClientService } from '../upwork/upwork-client.service';
import { type SyncResult, SyncRun } from './sync-run';

const PAGE_SIZE = 50;
const MAX_ROOM_PAGES = 20;
/** Messages older than the newest thousand of a room keep their stored text. */
const MAX_STORY_PAGES = 20;

/** Clocks differ, and activity of a room may become visible late. */
const OVERLAP_MS = 300_000;

/** Imports the conversations of the tenant. */
@Injectable()
export class MessagesSyncService {
  constructor(
    private readonly upwork: UpworkClientService,
    private readonly messages: UpworkMessagesService,
  ) {}

  /**
   * Reads rooms with activity since `watermark`, and all their stories. A failed room does not affect the others.
   * Session: user, one unit per room; a stored room is unchanged when read again.
   * @throws UpworkError when the access token is refused, the list of rooms cannot be read, or all rooms failed
   */
  async run(caller: UpworkCaller, watermark: Date | null): Promise<SyncResult> {
    const counts = { rooms: 0, created: 0, updated: 0, read: 0, failedRooms: 0, unreadable: 0 };
    const run = new SyncRun();
    const since = watermark && new Date(watermark.getTime() - OVERLAP_MS);
    const { user } = run.read(await this.upwork.call(CURRENT_USER, {}, caller));
    const filter = since ? { activeSince_eq: since.toISOString() } : {};
    const read = async (after?: string) =>
      run.read(await this.upwork.call(ROOMS, { filter, pagination: { after, first: PAGE_SIZE } }, caller)).roomList;
    for await (const { nodes: rooms, unreadable } of readPages(MAX_ROOM_PAGES, read)) {
      counts.unreadable += unreadable;
      for (const room of rooms) {
        await run.runPart(`room ${room.id}`, async () => {
          const { stories, unreadable: unreadableStories } = await this.readStories(room, caller, run);
          const stored = await this.messages.store(
            toRoomInput(room),
            stories.flatMap((story) => toMessageInputs(story, user.id)),
          );
          counts.rooms += 1;
          counts.created += stored.created;
          counts.updated += stored.updated;
          counts.read += stored.read;
          counts.unreadable += unreadableStories;
        });
      }
    }
    counts.failedRooms = run.failedCount;
    return run.finish(counts);
  }

  /** Reads all stories: they are sorted by creation time, so an edited one may be on any page. */
  private async readStories(
    room: UpworkRoom,
    caller: UpworkCaller,
    run: SyncRun,
  ): Promise<{ stories: UpworkStory[]; unreadable: number }> {
    // A new story moves others to the next page, where they appear again.
    const found = new Map<string, UpworkStory>();
    let unreadableCount = 0;
    const read = async (after?: string) => {
      const storyFilter = { pagination: { after, first: PAGE_SIZE } };
      const variables = { filter: { roomId_eq: room.id, storyFilter } };
      return run.read(await this.upwork.call(ROOM_STORIES, variables, caller)).roomStories;
    };
    for await (const { nodes, unreadable } of readPages(MAX_STORY_PAGES, read)) {
      for (const story of nodes) found.set(story.id, story);
      unreadableCount += unreadable;
    }
    return { stories: [...found.values()], unreadable: unreadableCount };
  }
}

function toRoomInput({ id, vendorProposal, lastReadDateTime }: UpworkRoom): UpworkRoomInput {
  return {
    roomId: id,
    upworkProposalId: vendorProposal?.id ?? null,
    readUntil: lastReadDateTime ?? null,
  };
}

/** Maps a story to a message; one without a text is an event of the room and is skipped. */
function toMessageInputs(
  { id, message, user, createdDateTime }: UpworkStory,
  upworkUserId: string,
): UpworkMessageInput[] {
  if (!message) return [];
  const senderType = user?.id === upworkUserId ? 'freelancer' : 'client';
  const content = truncateToCodePoints(message, 50_000);
  return [{ upworkMessageId: id, senderType, content, sentAt: createdDateTime }];
}

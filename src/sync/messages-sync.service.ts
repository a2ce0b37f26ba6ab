import { Injectable } from '@nestjs/common';
import {
  UpworkMessagesService,
  type UpworkMessageInput,
  type UpworkRoomInput,
} from '../messages/upwork-messages.service';
import { truncateToCodePoints } from '../platform/http/validation/text';
import { CURRENT_USER, ROOMS, ROOM_STORIES, type UpworkRoom, type UpworkStory } from '../upwork/upwork.documents';
import { readPages, type UpworkCaller, UpworkClientService } from '../upwork/upwork-client.service';
import { type SyncResult, SyncRun } from './sync-run';

const PAGE_SIZE = 50;
const MAX_ROOM_PAGES = 20;
/** What is older than the newest thousand of a room keeps the text it had. */
const MAX_STORY_PAGES = 20;

/** Clocks differ, and a room may show its news a moment late. */
const OVERLAP_MS = 300_000;

/** Brings in the conversations of the tenant. */
@Injectable()
export class MessagesSyncService {
  constructor(
    private readonly upwork: UpworkClientService,
    private readonly messages: UpworkMessagesService,
  ) {}

  /**
   * Reads the rooms with news since the last time, and of each the stories that are new or were edited. A room that fails
   * leaves the others alone. Session: user, a unit a room; a room that was stored comes again as unchanged.
   * @throws UpworkError when the access token is refused, the list of rooms cannot be read, or all rooms failed
   */
  async run(caller: UpworkCaller, watermark: Date | null): Promise<SyncResult> {
    const figures = { rooms: 0, created: 0, updated: 0, read: 0, failedRooms: 0, unreadable: 0 };
    const run = new SyncRun();
    const since = watermark && new Date(watermark.getTime() - OVERLAP_MS);
    const { user } = await this.upwork.call(CURRENT_USER, {}, caller);
    const filter = since ? { activeSince_eq: since.toISOString() } : {};
    const read = async (after: string | null) =>
      (await this.upwork.call(ROOMS, { filter, pagination: { after, first: PAGE_SIZE } }, caller)).roomList;
    for await (const { nodes: rooms, unreadable } of readPages(MAX_ROOM_PAGES, read)) {
      figures.unreadable += unreadable;
      for (const room of rooms) {
        await run.runPart(`room ${room.id}`, async () => {
          const { stories, unreadable: lost } = await this.readStories(room, caller);
          const stored = await this.messages.store(
            toRoomInput(room),
            stories.flatMap((story) => toMessageInputs(story, user.id)),
          );
          figures.rooms += 1;
          figures.created += stored.created;
          figures.updated += stored.updated;
          figures.read += stored.read;
          figures.unreadable += lost;
        });
      }
    }
    figures.failedRooms = run.failedCount;
    return { error: run.summarizeFailures(), isComplete: run.isComplete, figures };
  }

  /** All of them: they come by the time they were written, so one that was edited stands on any page. */
  private async readStories(
    room: UpworkRoom,
    caller: UpworkCaller,
  ): Promise<{ stories: UpworkStory[]; unreadable: number }> {
    // A story that is written meanwhile moves others to the next page, where they come again.
    const found = new Map<string, UpworkStory>();
    let lost = 0;
    const read = async (after: string | null) => {
      const variables = { filter: { roomId_eq: room.id }, pagination: { after, first: PAGE_SIZE } };
      return (await this.upwork.call(ROOM_STORIES, variables, caller)).roomStories;
    };
    for await (const { nodes, unreadable } of readPages(MAX_STORY_PAGES, read)) {
      for (const story of nodes) found.set(story.id, story);
      lost += unreadable;
    }
    return { stories: [...found.values()], unreadable: lost };
  }
}

function toRoomInput({ id, vendorProposal, lastReadDateTime }: UpworkRoom): UpworkRoomInput {
  return {
    roomId: id,
    upworkProposalId: vendorProposal?.id ?? null,
    readUntil: lastReadDateTime ? new Date(lastReadDateTime) : null,
  };
}

/** A story without a text is an event of the room. */
function toMessageInputs(
  { id, message, user, createdDateTime }: UpworkStory,
  upworkUserId: string,
): UpworkMessageInput[] {
  if (!message) return [];
  const senderType = user?.id === upworkUserId ? 'freelancer' : 'client';
  const content = truncateToCodePoints(message, 50_000);
  return [{ upworkMessageId: id, senderType, content, sentAt: new Date(createdDateTime) }];
}

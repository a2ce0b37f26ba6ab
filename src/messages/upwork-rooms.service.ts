import { Injectable } from '@nestjs/common';
import { ROOM_STORIES, type UpworkStory } from '../upwork/documents/conversations.documents';
import {
  readPages,
  type ConnectionPage,
  type UpworkAnswer,
  type UpworkCaller,
  UpworkClientService,
} from '../upwork/upwork-client.service';
import { toMessageInputs } from './story-messages';
import { UpworkMessagesService, type StoredMessages, type UpworkRoomInput } from './upwork-messages.service';

/** A part of a room's stories, by the time of their creation. Times are in ISO 8601. */
export interface StoryWindow {
  /** Null for the first story of the room. */
  readonly since: string | null;
  readonly until: string;
  /** Cursor at which the next run continues. */
  readonly after?: string;
}

/** How far the stories of a room are stored that has more of them than one run reads. */
export interface RoomHistory {
  /** Stories until this time are stored, except for those in a window. */
  readonly storedUntil: string | null;
  /** When the user last read the room on Upwork. */
  readonly lastReadAt: string | null;
  /** The parts to read, the oldest first. */
  readonly windows: readonly StoryWindow[];
}

/** Clocks differ, and a story may become visible late. */
const OVERLAP_MS = 300_000;

/** Adds the part that is not stored yet of a room whose newest stories were read. It extends a window not yet begun. */
function addWindow(history: RoomHistory | undefined, startedAt: Date, lastReadAt: Date | null): RoomHistory {
  const until = startedAt.toISOString();
  const earlier = history?.windows ?? [];
  const waiting = earlier.filter(({ after }) => after === undefined);
  const since = waiting.length > 0 ? waiting[0]!.since : (history?.storedUntil ?? null);
  const windows = [...earlier.filter(({ after }) => after !== undefined), { since, until }];
  return { storedUntil: until, lastReadAt: lastReadAt?.toISOString() ?? null, windows };
}

/** Returns the history from whose windows the next run starts again: a cursor can be the cause of a failure. */
export function forgetCursors(history: RoomHistory): RoomHistory {
  return { ...history, windows: history.windows.map(({ since, until }) => ({ since, until })) };
}

/** Builds the range of times of a window for Upwork's filter. */
function toTimeRange({ since, until }: StoryWindow): Readonly<Record<'rangeStart' | 'rangeEnd', string>> {
  const startMs = since === null ? 0 : Date.parse(since) - OVERLAP_MS;
  return {
    rangeStart: new Date(startMs).toISOString(),
    rangeEnd: new Date(Date.parse(until) + OVERLAP_MS).toISOString(),
  };
}

const PAGE_SIZE = 50;
/** Pages of the newest stories, which are read again for edits, and pages of the windows, in one run. */
const MAX_PAGES = 20;

/** Who reads a room. */
export interface RoomReader {
  /** The user of the connection. */
  readonly upworkUserId: string;
  readonly caller: UpworkCaller;
  /** Returns the data of an answer; a synchronisation also records what is missing in it. */
  readonly readAnswer: <Data>(answer: UpworkAnswer<Data>) => Data;
}

/** What was stored of a room. */
export type StoredRoom = StoredMessages & {
  readonly unreadable: number;
  /** Undefined for a room that was read whole. */
  readonly history: RoomHistory | undefined;
};

/** The stories that were read. */
interface Stories {
  readonly read: (window: StoryWindow | undefined, after: string | undefined) => Promise<ConnectionPage<UpworkStory>>;
  /** By their id: a new story moves others to the next page, where they appear again. */
  readonly found: Map<string, UpworkStory>;
  unreadable: number;
}

/** Pages that were read of a list of stories. */
interface PagesRead {
  readonly count: number;
  /** Cursor of the last page that was read. */
  readonly last: string | undefined;
  readonly isEnd: boolean;
}

/** Reads the stories of rooms on Upwork and stores them. */
@Injectable()
export class UpworkRoomsService {
  constructor(
    private readonly upwork: UpworkClientService,
    private readonly messages: UpworkMessagesService,
  ) {}

  /**
   * Reads the newest stories of a room and stores its messages. If there are more, it also reads a part of those that
   * are not stored. One unit of work, after the calls.
   * @throws UpworkError
   */
  async import(room: UpworkRoomInput, reader: RoomReader, history?: RoomHistory): Promise<StoredRoom> {
    const startedAt = new Date();
    const stories = this.openStories(room, reader);
    const { isEnd } = await readStories(MAX_PAGES, stories, undefined);
    const rest = isEnd ? undefined : await readWindows(addWindow(history, startedAt, room.readUntil), stories);
    return this.store(room, reader, stories, rest);
  }

  /**
   * Reads the next part of the stories of a quiet room and stores its messages. One unit of work, after the calls.
   * @throws UpworkError
   */
  async importRest(room: UpworkRoomInput, reader: RoomReader, history: RoomHistory): Promise<StoredRoom> {
    const stories = this.openStories(room, reader);
    const rest = await readWindows(history, stories);
    return this.store(room, reader, stories, rest);
  }

  private openStories({ roomId }: UpworkRoomInput, { caller, readAnswer }: RoomReader): Stories {
    const read: Stories['read'] = async (window, after) => {
      const pagination = { after, first: PAGE_SIZE };
      const storyFilter = window ? { storyCreatedDateTime_bt: toTimeRange(window), pagination } : { pagination };
      const variables = { filter: { roomId_eq: roomId, storyFilter } };
      return readAnswer(await this.upwork.call(ROOM_STORIES, variables, caller)).roomStories;
    };
    return { read, found: new Map(), unreadable: 0 };
  }

  private async store(
    room: UpworkRoomInput,
    { upworkUserId, caller }: RoomReader,
    { found, unreadable }: Stories,
    history: RoomHistory | undefined,
  ): Promise<StoredRoom> {
    const stored = await this.messages.store(room, toMessageInputs([...found.values()], upworkUserId, caller));
    return { ...stored, unreadable, history };
  }
}

/** Reads the windows of a room, up to a number of pages. Returns what remains. */
async function readWindows(history: RoomHistory, stories: Stories): Promise<RoomHistory> {
  const rest: StoryWindow[] = [];
  let left = MAX_PAGES;
  for (const window of history.windows) {
    const { count, last, isEnd } = await readStories(left, stories, window);
    left -= count;
    // The last page is read again: stories that are removed meanwhile move others to it.
    if (!isEnd) rest.push({ ...window, after: last });
  }
  return { ...history, windows: rest };
}

/** Reads pages of all stories or of a window. Their order is not documented, and an edited one may be on any page. */
async function readStories(maxPages: number, stories: Stories, window: StoryWindow | undefined): Promise<PagesRead> {
  let [count, last, next]: [number, string | undefined, string | null | undefined] = [0, window?.after, window?.after];
  let isEnd = false;
  for await (const page of readPages(maxPages, (after) => stories.read(window, after), window?.after)) {
    count += 1;
    last = next ?? undefined;
    next = page.next;
    isEnd = next === null || next === last;
    for (const story of page.nodes) stories.found.set(story.id, story);
    stories.unreadable += page.unreadable;
  }
  return { count, last, isEnd };
}

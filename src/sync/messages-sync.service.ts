import { Injectable } from '@nestjs/common';
import { UpworkMessagesService, type UpworkRoomInput } from '../messages/upwork-messages.service';
import { type RoomReader, type StoredRoom, UpworkRoomsService } from '../messages/upwork-rooms.service';
import { truncateToCodePoints } from '../platform/http/validation/fields';
import { UpworkAccountService } from '../tokens/upwork-account.service';
import { ROOMS, type UpworkRoom } from '../upwork/documents/conversations.documents';
import { readPages, type UpworkAnswer, UpworkClientService } from '../upwork/upwork-client.service';
import { RoomProgress } from './room-progress';
import { type ListPositions, type SyncCaller, type SyncResult, SyncRun } from './sync-run';

const PAGE_SIZE = 50;

/** Ends a list whose cursors never end. */
const MAX_ROOM_PAGES = 200;

/** Clocks differ, and activity of a room may become visible late. */
const OVERLAP_MS = 300_000;

const DAY_MS = 86_400_000;

/** Each run that stored rooms since the watermark costs lists of its own, up to this number of runs. */
const MAX_READ_TIMES = 8;

/** Part of Upwork's RoomFilter. The default list has the rooms that the user neither left nor hid. */
interface RoomFilter {
  readonly subscribed_eq?: boolean;
  readonly includeHidden_eq?: boolean;
  readonly activeSince_eq?: string;
}

/** The lists of the other rooms: those that the user left, and those that they hid among the default ones. */
const OTHER_LISTS: readonly RoomFilter[] = [
  { subscribed_eq: false, includeHidden_eq: true },
  { includeHidden_eq: true },
];

/** List of rooms to read. */
interface RoomList {
  readonly filter: RoomFilter;
  /** Selects the rooms of the list that are read. */
  readonly isWanted: (roomId: string) => boolean;
  /** True for a list without which the run cannot succeed. */
  readonly isRequired?: boolean;
}

type Counts = Record<'rooms' | 'created' | 'updated' | 'read' | 'failedRooms' | 'unreadable', number>;

/** State of one run. */
interface Reading {
  readonly caller: SyncCaller;
  readonly run: SyncRun;
  readonly counts: Counts;
  readonly upworkUserId: string;
  readonly progress: RoomProgress;
}

/** Imports the conversations of the tenant. */
@Injectable()
export class MessagesSyncService {
  constructor(
    private readonly upwork: UpworkClientService,
    private readonly rooms: UpworkRoomsService,
    private readonly messages: UpworkMessagesService,
    private readonly accounts: UpworkAccountService,
  ) {}

  /**
   * Reads rooms with activity since `watermark`, and all their stories. A failed room does not affect the others: the
   * next runs read it again, without those that are stored. Session: user, one unit per room.
   * @param positions what earlier runs since the watermark read and missed; updated
   * @throws UpworkError when the access token is refused, the default list cannot be read, or all rooms failed
   */
  async run(caller: SyncCaller, watermark: Date | null, positions: ListPositions): Promise<SyncResult> {
    const counts = { rooms: 0, created: 0, updated: 0, read: 0, failedRooms: 0, unreadable: 0 };
    const run = new SyncRun(caller.stop);
    const progress = new RoomProgress(positions, watermark);
    const upworkUserId = await this.accounts.findUserId(caller.tokenId, caller);
    const filters = listRoomFilters(watermark, new Date());
    try {
      await this.readLists(listRooms(filters, progress), { caller, run, counts, upworkUserId, progress });
      await this.readUnfinished({ caller, run, counts, upworkUserId, progress });
    } finally {
      progress.settle();
    }
    await this.messages.link();
    counts.failedRooms = progress.failedCount;
    const result = run.finish(counts, progress.isComplete);
    if (result.isComplete) progress.restart(filters.length > 1);
    return result;
  }

  /** Reads lists. A failed one does not affect the others. @throws the error of a required list, at the end */
  private async readLists(lists: readonly RoomList[], reading: Reading): Promise<void> {
    const failures: unknown[] = [];
    for (const list of lists) {
      const reason = await reading.run.runExtra(`list of rooms ${JSON.stringify(list.filter)}`, () =>
        this.readRooms(list, reading).catch((error: unknown) => {
          if (list.isRequired) failures.push(error);
          throw error;
        }),
      );
      if (reason !== null && !list.isRequired) reading.progress.missList();
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Reads the pages of a list and its rooms. */
  private async readRooms({ filter, isWanted }: RoomList, reading: Reading): Promise<void> {
    const { caller, run, counts, progress } = reading;
    const read = async (after?: string) => {
      const answer = await this.upwork.call(ROOMS, { filter, pagination: { after, first: PAGE_SIZE } }, caller);
      // A room can be missing, or the cursor of the next page.
      if (answer.isWorthRepeating) progress.missList();
      return run.read(answer).roomList;
    };
    let pages = 0;
    for await (const { nodes, unreadable, next } of readPages(MAX_ROOM_PAGES, read)) {
      pages += 1;
      if (pages === MAX_ROOM_PAGES && next !== null) progress.missList();
      counts.unreadable += unreadable;
      for (const room of nodes) {
        if (run.isStopped) return;
        if (isOwn(filter, room) && isWanted(room.id) && progress.start(room.id)) await this.readListed(room, reading);
      }
    }
  }

  private readListed(room: UpworkRoom, reading: Reading): Promise<void> {
    const input = toRoomInput(room, reading.caller.tokenId);
    const history = reading.progress.getHistory(room.id);
    return this.readRoom(input, reading, (reader) => this.rooms.import(input, reader, history));
  }

  /** Reads the next stories of the long rooms that no list contains. */
  private async readUnfinished(reading: Reading): Promise<void> {
    const { caller, run, progress } = reading;
    for (const id of progress.listUnfinished()) {
      if (run.isStopped) return;
      const history = progress.getHistory(id)!;
      const lastReadAt = history.lastReadAt === null ? null : new Date(history.lastReadAt);
      const room = progress.start(id) ? await this.messages.findRoom(id, caller.tokenId, lastReadAt) : undefined;
      if (room) await this.readRoom(room, reading, (reader) => this.rooms.importRest(room, reader, history));
    }
  }

  private async readRoom(
    { roomId }: UpworkRoomInput,
    { caller, run, counts, upworkUserId, progress }: Reading,
    importRoom: (reader: RoomReader) => Promise<StoredRoom>,
  ): Promise<void> {
    await run.runPart(`room ${roomId}`, async () => {
      let isWhole = true;
      const readAnswer = <Data>(answer: UpworkAnswer<Data>): Data => {
        isWhole = isWhole && !answer.isWorthRepeating;
        return run.read(answer);
      };
      try {
        const stored = await importRoom({ upworkUserId, caller, readAnswer });
        counts.rooms += 1;
        for (const name of ['created', 'updated', 'read', 'unreadable'] as const) counts[name] += stored[name];
        progress.end(roomId, isWhole, stored.history);
      } catch (error) {
        progress.fail(roomId, error);
        throw error;
      }
    });
  }
}

/**
 * Returns the lists to read. The first run of a day also reads the missed rooms. Rooms that an earlier run since the
 * watermark stored come last, the longest unread first: busy rooms must not use up the calls for the others.
 */
function listRooms(filters: readonly RoomFilter[], progress: RoomProgress): RoomList[] {
  const { missedSince } = progress;
  const isWanted = (id: string): boolean => progress.getReadAt(id) === null;
  const isMissed = (id: string): boolean => progress.isMissed(id);
  const lists: RoomList[] = filters.map((filter, n) => ({ filter, isWanted, isRequired: n === 0 }));
  const kinds = filters.length === 1 ? [{}] : [{}, ...OTHER_LISTS];
  if (kinds.length > 1 && missedSince !== undefined) {
    const active = missedSince && filterActive(missedSince);
    lists.push(...kinds.map((kind) => ({ filter: { ...kind, ...active }, isWanted: isMissed })));
  }
  return [...lists, ...listReadRooms(kinds, progress)];
}

/** Returns the lists of the rooms that are stored and were active since. The earliest of many runs share a list. */
function listReadRooms(kinds: readonly RoomFilter[], progress: RoomProgress): RoomList[] {
  const times = progress.listReadTimes();
  return times.slice(-MAX_READ_TIMES).flatMap((until, n) => {
    const since = n === 0 ? times[0]! : until;
    const isWanted = (id: string): boolean => {
      const readAt = progress.getReadAt(id);
      return readAt !== null && readAt >= since && readAt <= until;
    };
    return kinds.map((kind) => ({ filter: { ...kind, ...filterActive(new Date(since)) }, isWanted }));
  });
}

/** Returns whether the default list cannot have a room; the list with hidden rooms repeats that list. */
function isOwn({ subscribed_eq: isSubscribed, includeHidden_eq: isWithHidden }: RoomFilter, room: UpworkRoom): boolean {
  return isSubscribed === false || !isWithHidden || room.hidden !== false;
}

function filterActive(since: Date): RoomFilter {
  return { activeSince_eq: toActiveSince(since.getTime()) };
}

/**
 * Returns the filters of the lists to read. The first run of a day (UTC) also reads the rooms outside the default list,
 * since the day of the watermark: an earlier run read the others.
 */
export function listRoomFilters(watermark: Date | null, now: Date): RoomFilter[] {
  if (!watermark) return [{}, ...OTHER_LISTS];
  const active = filterActive(watermark);
  const startOfDayMs = watermark.getTime() - (watermark.getTime() % DAY_MS);
  if (now.getTime() < startOfDayMs + DAY_MS) return [active];
  return [active, ...OTHER_LISTS.map((list) => ({ ...list, activeSince_eq: toActiveSince(startOfDayMs) }))];
}

function toActiveSince(milliseconds: number): string {
  return new Date(milliseconds - OVERLAP_MS).toISOString();
}

function toRoomInput(room: UpworkRoom, tokenId: number): UpworkRoomInput {
  const { id, roomName, topic, vendorProposal, lastReadDateTime } = room;
  return {
    tokenId,
    roomId: id,
    title: toTitle(roomName),
    topic: toTitle(topic),
    upworkProposalId: vendorProposal?.id ?? null,
    upworkJobNumber: vendorProposal?.marketplaceJobPosting?.id ?? null,
    readUntil: lastReadDateTime ?? null,
  };
}

function toTitle(text: string | null | undefined): string | null {
  return text ? truncateToCodePoints(text, 500) : null;
}

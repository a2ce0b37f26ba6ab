import { Injectable } from '@nestjs/common';
import { UpworkMessagesService, type UpworkRoomInput } from '../messages/upwork-messages.service';
import { UpworkRoomsService } from '../messages/upwork-rooms.service';
import { truncateToCodePoints } from '../platform/http/validation/fields';
import { UpworkAccountService } from '../tokens/upwork-account.service';
import { ROOMS, type UpworkRoom } from '../upwork/documents/conversations.documents';
import { readPages, type UpworkCaller, UpworkClientService } from '../upwork/upwork-client.service';
import { type SyncCaller, type SyncResult, SyncRun } from './sync-run';

const PAGE_SIZE = 50;
const MAX_ROOM_PAGES = 20;

/** Clocks differ, and activity of a room may become visible late. */
const OVERLAP_MS = 300_000;

const DAY_MS = 86_400_000;

/** Rooms that the default list leaves out: those the user left or hid. */
const OTHER_ROOMS = { subscribed_eq: false, includeHidden_eq: true };

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
   * Reads rooms with activity since `watermark`, and all their stories. A failed room does not affect the others.
   * Session: user, one unit per room; a stored room is unchanged when read again.
   * @throws UpworkError when the access token is refused, a list of rooms cannot be read, or all rooms failed
   */
  async run(caller: SyncCaller, watermark: Date | null): Promise<SyncResult> {
    const counts = { rooms: 0, created: 0, updated: 0, read: 0, failedRooms: 0, unreadable: 0 };
    const run = new SyncRun();
    const upworkUserId = await this.accounts.findUserId(caller.tokenId, caller);
    for await (const { rooms, unreadable } of this.readRooms(caller, watermark, run)) {
      counts.unreadable += unreadable;
      for (const room of rooms) {
        await run.runPart(`room ${room.id}`, async () => {
          const stored = await this.rooms.import(toRoomInput(room, caller.tokenId), upworkUserId, caller, (answer) =>
            run.read(answer),
          );
          counts.rooms += 1;
          counts.created += stored.created;
          counts.updated += stored.updated;
          counts.read += stored.read;
          counts.unreadable += stored.unreadable;
        });
      }
    }
    await this.messages.link();
    counts.failedRooms = run.failedCount;
    return run.finish(counts);
  }

  /** Reads the pages of all lists. A room can be in several lists; only its first occurrence is returned. */
  private async *readRooms(
    caller: UpworkCaller,
    watermark: Date | null,
    run: SyncRun,
  ): AsyncGenerator<{ rooms: UpworkRoom[]; unreadable: number }> {
    const known = new Set<string>();
    for (const filter of listRoomFilters(watermark, new Date())) {
      const read = async (after?: string) =>
        run.read(await this.upwork.call(ROOMS, { filter, pagination: { after, first: PAGE_SIZE } }, caller)).roomList;
      for await (const { nodes, unreadable } of readPages(MAX_ROOM_PAGES, read)) {
        const rooms = nodes.filter(({ id }) => !known.has(id) && known.add(id));
        yield { rooms, unreadable };
      }
    }
  }
}

/**
 * Returns the filters of the lists to read. The first run of a day (UTC) also reads the rooms outside the default list,
 * since the day of the watermark: an earlier run read the others.
 */
export function listRoomFilters(watermark: Date | null, now: Date): Readonly<Record<string, unknown>>[] {
  if (!watermark) return [{}, OTHER_ROOMS];
  const active = { activeSince_eq: toActiveSince(watermark.getTime()) };
  const startOfDayMs = watermark.getTime() - (watermark.getTime() % DAY_MS);
  if (now.getTime() < startOfDayMs + DAY_MS) return [active];
  return [active, { ...OTHER_ROOMS, activeSince_eq: toActiveSince(startOfDayMs) }];
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

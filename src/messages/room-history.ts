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
export function addWindow(history: RoomHistory | undefined, startedAt: Date, lastReadAt: Date | null): RoomHistory {
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
export function toTimeRange({ since, until }: StoryWindow): Readonly<Record<'rangeStart' | 'rangeEnd', string>> {
  const startMs = since === null ? 0 : Date.parse(since) - OVERLAP_MS;
  return {
    rangeStart: new Date(startMs).toISOString(),
    rangeEnd: new Date(Date.parse(until) + OVERLAP_MS).toISOString(),
  };
}

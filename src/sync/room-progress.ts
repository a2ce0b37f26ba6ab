import { forgetCursors, type RoomHistory } from '../messages/upwork-rooms.service';
import { AppError } from '../platform/errors/app-error';
import { UpworkError } from '../upwork/upwork.error';
import { type ListPositions, MAX_INCOMPLETE_RUNS } from './sync-run';

/** Key of the lists of rooms among the positions of rooms, whose ids are never empty. */
const LISTS = '';

/** Prefix of the positions inside long rooms; they outlive the watermark. */
const HISTORY = 'stories of ';

/**
 * The rooms that runs since the watermark read or missed. The watermark waits for an unreadable room in a few runs, and
 * then moves on without it. From then on it is a missed room, which is read once a day or when it is active.
 */
export class RoomProgress {
  private readonly startedAt = new Date().toISOString();
  private readonly started = new Set<string>();
  private readonly incomplete = new Set<string>();
  private readonly failed = new Set<string>();
  /** Rooms for which Upwork could not be asked. */
  private readonly postponed = new Set<string>();
  private isAnyRead = false;

  constructor(
    private readonly positions: ListPositions,
    private readonly watermark: Date | null,
  ) {}

  /** Lists when the stored rooms were read, the earliest first: all rooms of a run have the same time. */
  listReadTimes(): string[] {
    return [...new Set(Object.values(this.positions).flatMap(({ readWholeAt }) => readWholeAt ?? []))].sort();
  }

  /** Returns the time until which all missed rooms are stored: null for never, undefined when no room is missed. */
  get missedSince(): Date | null | undefined {
    const missed = Object.keys(this.positions).filter((id) => this.isMissed(id));
    const times = missed.map((id) => this.positions[id]!.readUntil);
    if (times.length === 0) return undefined;
    return times.includes(null) ? null : new Date(times.sort()[0]!);
  }

  /** Returns whether all rooms are stored or missed; after `settle`. */
  get isComplete(): boolean {
    return this.listIds().every((id) => {
      const { readWholeAt, incompleteRuns } = this.positions[id]!;
      return readWholeAt !== null || incompleteRuns > MAX_INCOMPLETE_RUNS;
    });
  }

  get failedCount(): number {
    return this.failed.size + this.postponed.size;
  }

  /** Returns when a room was read; null for one that is not stored. */
  getReadAt(roomId: string): string | null {
    return this.positions[roomId]?.readWholeAt ?? null;
  }

  isMissed(roomId: string): boolean {
    return roomId !== LISTS && (this.positions[roomId]?.incompleteRuns ?? 0) > MAX_INCOMPLETE_RUNS;
  }

  /** Returns whether this run has not read the room yet: a room can be in several lists. */
  start(roomId: string): boolean {
    const isNew = !this.started.has(roomId);
    this.started.add(roomId);
    return isNew;
  }

  /** Returns how far a long room is stored. */
  getHistory(roomId: string): RoomHistory | undefined {
    return this.positions[HISTORY + roomId]?.history;
  }

  /** Lists the long rooms with stories that are not stored, except the missed ones. */
  listUnfinished(): string[] {
    const ids = Object.keys(this.positions).flatMap((key) =>
      key.startsWith(HISTORY) ? key.slice(HISTORY.length) : [],
    );
    return ids.filter((id) => (this.getHistory(id)?.windows.length ?? 0) > 0 && !this.isMissed(id));
  }

  /**
   * Records that a room is stored, whole or without the stories that Upwork could not read. These are read again, so
   * its history stays, until the room is skipped.
   */
  end(roomId: string, isWhole: boolean, history?: RoomHistory): void {
    this.isAnyRead = true;
    const runs = this.positions[roomId]?.incompleteRuns ?? 0;
    if (isWhole || runs >= MAX_INCOMPLETE_RUNS) this.setHistory(roomId, history);
    if (isWhole) this.positions[roomId] = { readUntil: null, readWholeAt: this.startedAt, incompleteRuns: 0 };
    else this.incomplete.add(roomId);
  }

  /** Records why a room could not be read. */
  fail(roomId: string, error: unknown): void {
    if (isOfAllCalls(error)) this.postponed.add(roomId);
    else this.failed.add(roomId);
    const history = this.getHistory(roomId);
    if (history && this.failed.has(roomId)) this.setHistory(roomId, forgetCursors(history));
  }

  /** Records that a list of rooms could not be read whole. */
  missList(): void {
    this.incomplete.add(LISTS);
  }

  /**
   * Counts the run for the rooms that it missed. When it read none of several rooms, the cause is not in a room, and
   * they wait for a better run.
   */
  settle(): void {
    if (!this.incomplete.has(LISTS)) delete this.positions[LISTS];
    const isRoomsFault = this.isAnyRead || this.failed.size === 1;
    for (const id of [...this.incomplete, ...(isRoomsFault ? this.failed : [])]) this.miss(id, 1);
    for (const id of [...this.postponed, ...(isRoomsFault ? [] : this.failed)]) this.miss(id, 0);
  }

  /** Forgets the rooms before a new watermark except the missed ones; after a daily run also those in no list. */
  restart(isDaily: boolean): void {
    for (const id of this.listIds()) {
      if (!this.isMissed(id) || (isDaily && !this.started.has(id))) delete this.positions[id];
    }
  }

  /** Lists the rooms and LISTS. */
  private listIds(): string[] {
    return Object.keys(this.positions).filter((key) => !key.startsWith(HISTORY));
  }

  private setHistory(roomId: string, history: RoomHistory | undefined): void {
    if (history) this.positions[HISTORY + roomId] = { readUntil: null, readWholeAt: null, incompleteRuns: 0, history };
    else delete this.positions[HISTORY + roomId];
  }

  private miss(id: string, runs: number): void {
    const earlier = this.positions[id];
    const readUntil = earlier ? (earlier.readWholeAt ?? earlier.readUntil) : (this.watermark?.toISOString() ?? null);
    this.positions[id] = { readUntil, readWholeAt: null, incompleteRuns: (earlier?.incompleteRuns ?? 0) + runs };
  }
}

/** Returns whether an error would meet every call: Upwork or this installation allows none for a time. */
function isOfAllCalls(error: unknown): boolean {
  if (!(error instanceof UpworkError)) return error instanceof AppError;
  return (
    error.kind === 'refused' ||
    error.kind === 'limited' ||
    error.kind === 'budget_used' ||
    error.retryAfterMs !== undefined
  );
}

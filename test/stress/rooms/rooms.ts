import type { FakeRoom, FakeStory } from '../../../src/demo/fake-upwork/fake-marketplace';
import { type FakeCall, FakeUpwork } from '../../../src/demo/fake-upwork/fake-upwork';
import { SYNC_CONNECTIONS } from '../../../src/sync/sync-connections.task';
import { TokensService } from '../../../src/tokens/tokens.service';
import { computePollingLimit } from '../../../src/upwork/call-budget';
import { UpworkRateLimiterService } from '../../../src/upwork/upwork-rate-limiter.service';
import { runAsUser } from '../../support/run-as-user';
import { InProcessApi } from '../in-process-api';

/** Sizes of the scenario. */
export interface RoomsOptions {
  readonly rooms: number;
  /** Rooms that get a message each day, until the busy days have passed. */
  readonly busy: number;
  /** Calls to Upwork of a day, of which polling may use nine tenths. */
  readonly callsPerDay: number;
  /** Days with messages after every room was read once. */
  readonly busyDays: number;
}

/** The result; `assertServedFairly` says what must be 0. */
export interface RoomsResult {
  readonly rooms: number;
  /** Days until every room was read once, and until everything was read. */
  readonly daysToReadAll: number;
  readonly daysToEnd: number;
  /** Most calls of a day, and those of all days above the limit of polling. */
  readonly maxCalls: number;
  readonly callsAboveLimit: number;
  /** Repeated reads on days on which another room stayed unread. */
  readonly earlyRepeats: number;
  /** Repeated reads of rooms without a new message. */
  readonly needlessReads: number;
  /** Longest time that a busy room was not read, and how much of it was not needed to read the others in turn. */
  readonly longestWaitDays: number;
  readonly unfairDays: number;
  readonly messages: number;
  readonly storedMessages: number;
  readonly doubled: number;
  /** Calls of a run without any change, and rooms that it read. */
  readonly callsAtRest: number;
  readonly readAtRest: number;
  /** Rooms that were read after CHANGED ones got a message. */
  readonly readAfterChange: number;
}

const DAY_MS = 86_400_000;
const MAX_DAYS = 60;
const AGE_DAYS = 90;
const CHANGED = 3;

/** Instant in a position of a list. */
const INSTANT = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

interface StoryFilter {
  readonly roomId_eq: string;
  readonly storyFilter: { readonly pagination: { readonly after?: string } };
}

/** Synchronises many rooms, some always busy, with too few calls a day, and counts which rooms are read. */
export async function stressRooms(options: RoomsOptions): Promise<RoomsResult> {
  const upwork = await new FakeUpwork().start();
  Object.assign(upwork, { limitPerSecond: Infinity, partialEvery: 0 });
  const calls = { UPWORK_REQUESTS_PER_SECOND: '100', UPWORK_CALLS_PER_DAY: String(options.callsPerDay) };
  const served = new InProcessApi({ ...upwork.settings, ...calls });
  try {
    return await served.run(() => new RoomsRun(served, upwork, options).run());
  } finally {
    await upwork.stop();
  }
}

/** Throws when a room starved, was read in vain, or lost a message. */
export function assertServedFairly(result: RoomsResult): RoomsResult {
  const { callsAboveLimit, earlyRepeats, needlessReads, unfairDays, doubled, readAtRest } = result;
  const lost = result.messages - result.storedMessages;
  const wrong = [callsAboveLimit, earlyRepeats, needlessReads, unfairDays, doubled, readAtRest, lost];
  if (wrong.some((count) => count !== 0) || result.readAfterChange !== CHANGED) throw new Error(JSON.stringify(result));
  return result;
}

class RoomsRun {
  /** The day on which each room was last read. */
  private readonly readOn = new Map<string, number>();
  /** Rooms with a message that was not read yet. */
  private readonly changed = new Set<string>();
  private readonly counts = { maxCalls: 0, callsAboveLimit: 0, earlyRepeats: 0, needlessReads: 0 };
  private days = 0;
  private longestWaitDays = 0;
  private fewestReads = Infinity;

  constructor(
    private readonly served: InProcessApi,
    private readonly upwork: FakeUpwork,
    private readonly options: RoomsOptions,
  ) {}

  async run(): Promise<RoomsResult> {
    const { rooms, busyDays } = this.options;
    await this.connect();
    this.limiter.clockOffsetMs = DAY_MS / 2 - (Date.now() % DAY_MS);
    this.openRooms();
    while (this.readOn.size < rooms) await this.runBusyDay();
    const daysToReadAll = this.days;
    for (let n = 0; n < busyDays; n++) this.measureWait(await this.runBusyDay());
    do await this.runDay();
    while (!(await this.isComplete()));
    const days = { daysToReadAll, daysToEnd: this.days };
    const later = await this.runAfterTheEnd();
    return { rooms, ...days, ...this.counts, ...this.getWaits(), ...later, ...(await this.countMessages()) };
  }

  private get limiter(): UpworkRateLimiterService {
    return this.served.get(UpworkRateLimiterService);
  }

  private async connect(): Promise<void> {
    const [userId] = await this.served.createUsers(1);
    const expiresAt = new Date(Date.now() + DAY_MS);
    const connection = { provider: 'upwork' as const, ...this.upwork.grants.issueTokens('ann'), expiresAt };
    await runAsUser(userId!, () => this.served.get(TokensService).store({ ...connection, organizationId: null }));
  }

  /** Opens rooms with an old message each. Every fourth is hidden, every fifth was left. */
  private openRooms(): void {
    const { marketplace } = this.upwork;
    for (let n = this.options.rooms - 1; n >= 0; n--) {
      const sent = marketplace.submit('ann', marketplace.publish({ title: `Job ${n}` }).id, 'Hello', '10.00');
      marketplace.writeMessage(sent.id, 'client', 'Hello');
      const room = Object.assign(marketplace.rooms[0]!, { isHidden: n % 4 === 3, isSubscribed: n % 5 !== 4 });
      moveStory(room.stories[0]!, -AGE_DAYS * DAY_MS);
    }
  }

  private async runBusyDay(): Promise<readonly string[]> {
    const busy = this.upwork.marketplace.rooms.slice(0, this.options.busy);
    for (const room of busy) moveStory(this.writeMessage(room), DAY_MS / 2);
    return this.runDay();
  }

  /** Lets a day pass and synchronises once. @returns the rooms that were read */
  private async runDay(): Promise<readonly string[]> {
    await this.passDay();
    const known = new Set(this.readOn.keys());
    const read = await this.synchronize();
    if (this.readOn.size < this.options.rooms) this.counts.earlyRepeats += read.filter((id) => known.has(id)).length;
    return read;
  }

  private measureWait(read: readonly string[]): void {
    const busy = this.upwork.marketplace.rooms.slice(0, this.options.busy);
    const waits = busy.map(({ id }) => this.days - (this.readOn.get(id) ?? 0));
    this.longestWaitDays = Math.max(this.longestWaitDays, ...waits);
    this.fewestReads = Math.min(this.fewestReads, read.length);
  }

  private getWaits(): Pick<RoomsResult, 'longestWaitDays' | 'unfairDays'> {
    const neededDays = Math.ceil(this.options.busy / this.fewestReads) - 1;
    const { longestWaitDays } = this;
    return { longestWaitDays, unfairDays: Math.max(0, longestWaitDays - neededDays) };
  }

  /** Makes everything a day older, and starts another day of calls. */
  private async passDay(): Promise<void> {
    this.days += 1;
    if (this.days > MAX_DAYS) throw new Error(`${this.readOn.size} rooms were read in ${MAX_DAYS} days`);
    for (const { stories } of this.upwork.marketplace.rooms) for (const story of stories) moveStory(story, -DAY_MS);
    const [sync] = await this.served.query<{ positions: string }>(
      `SELECT list_positions::text AS positions FROM syncs WHERE kind = 'messages'`,
    );
    const move = (_: string, value: unknown): unknown =>
      typeof value === 'string' && INSTANT.test(value) ? new Date(Date.parse(value) - DAY_MS).toISOString() : value;
    await this.served.query(
      `UPDATE syncs SET watermark = watermark - interval '1 day', list_positions = $1 WHERE kind = 'messages'`,
      [JSON.stringify(JSON.parse(sync!.positions, move))],
    );
    this.limiter.clockOffsetMs += DAY_MS;
    this.upwork.calls.length = 0;
  }

  /** Runs the task once, as the schedule does. @returns the rooms that it read to their end */
  private async synchronize(): Promise<string[]> {
    const { calls } = this.upwork;
    const first = calls.length;
    const next = `CASE kind WHEN 'messages' THEN now() ELSE now() + interval '1 day' END`;
    await this.served.query(`UPDATE syncs SET next_at = ${next}`);
    await this.served.runTask(SYNC_CONNECTIONS);
    this.counts.maxCalls = Math.max(this.counts.maxCalls, calls.length);
    this.counts.callsAboveLimit += Math.max(0, calls.length - computePollingLimit(this.options.callsPerDay));
    const read = calls.slice(first).flatMap(getRoomReadToEnd);
    for (const id of read) this.recordRead(id);
    return read;
  }

  private recordRead(id: string): void {
    if (this.readOn.has(id) && !this.changed.has(id)) this.counts.needlessReads += 1;
    this.readOn.set(id, this.days);
    this.changed.delete(id);
  }

  private writeMessage({ id, proposalId, stories }: FakeRoom): FakeStory {
    this.changed.add(id);
    return this.upwork.marketplace.writeMessage(proposalId, 'client', `Message ${stories.length}`);
  }

  private async isComplete(): Promise<boolean> {
    const complete = `SELECT FROM syncs WHERE kind = 'messages' AND watermark > now() - interval '1 hour'`;
    return (await this.served.query(complete)).length === 1;
  }

  /** Synchronises on the day after everything was read, and after a change. */
  private async runAfterTheEnd(): Promise<Pick<RoomsResult, 'callsAtRest' | 'readAtRest' | 'readAfterChange'>> {
    await this.passDay();
    const { length: readAtRest } = await this.synchronize();
    const callsAtRest = this.upwork.calls.length;
    for (const room of this.upwork.marketplace.rooms.slice(0, CHANGED)) this.writeMessage(room);
    return { callsAtRest, readAtRest, readAfterChange: (await this.synchronize()).length };
  }

  private async countMessages(): Promise<Pick<RoomsResult, 'messages' | 'storedMessages' | 'doubled'>> {
    const [row] = await this.served.query<{ rows: string; ids: string }>(
      'SELECT count(*) AS rows, count(DISTINCT upwork_message_id) AS ids FROM messages',
    );
    const messages = this.upwork.marketplace.rooms.reduce((sum, { stories }) => sum + stories.length, 0);
    const [rows, ids] = [Number(row!.rows), Number(row!.ids)];
    return { messages, storedMessages: ids, doubled: rows - ids };
  }
}

/** Returns the room whose last page a call asked for: each room has one page, and an empty one after it. */
function getRoomReadToEnd({ operation, variables }: FakeCall): string[] {
  if (operation !== 'RoomStories') return [];
  const { roomId_eq: id, storyFilter } = variables['filter'] as StoryFilter;
  return storyFilter.pagination.after === undefined ? [] : [id];
}

function moveStory(story: FakeStory, milliseconds: number): void {
  const moved = new Date(story.createdAt.getTime() + milliseconds);
  Object.assign(story, { createdAt: moved, updatedAt: moved });
}

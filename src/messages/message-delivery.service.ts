import { Injectable, Logger } from '@nestjs/common';
import { Database } from '../platform/database/database';
import type { UnitOfWork } from '../platform/database/unit-of-work';
import { AppError } from '../platform/errors/app-error';
import { currentUserId } from '../platform/http/access/access';
import { IdempotencyStoreService, type RequestKey } from '../platform/idempotency/idempotency.interceptor';
import { TokenRefreshService } from '../tokens/token-refresh.service';
import { UpworkAccountService } from '../tokens/upwork-account.service';
import { SEND_MESSAGE } from '../upwork/documents/conversations.documents';
import { UpworkError, type UpworkErrorKind } from '../upwork/upwork.error';
import { type UpworkCaller, UpworkClientService } from '../upwork/upwork-client.service';
import { UPDATE_LAST_MESSAGE } from './conversations/conversations.queries';
import {
  CLAIM_CHECK,
  CREATE_REPLY,
  DISCARD_REPLY,
  FIND_CONVERSATION,
  MARK_NOT_SENT,
  MARK_SENT,
  POSTPONE_CHECK,
  READ_DELIVERY,
  RETRY_REPLY,
  type DeliveryRow,
} from './message-delivery.queries';
import { LOCK_MESSAGES } from './messages.queries';
import { normalizeLineEnds } from './story-messages';
import { type RoomReader, UpworkRoomsService } from './upwork-rooms.service';

/** The room or the job of a reply, and its text. */
export interface Reply {
  readonly roomId?: string;
  readonly jobId?: number | null;
  readonly content: string;
}

/** Id of the message that this request or an earlier one with the same key created. */
export interface StoredReply {
  readonly id: number;
  readonly isReplay: boolean;
}

/** A request that waited longer than this is not sent: the task may already search the room for it. */
const MAX_WAIT_MS = 30_000;

const MAX_REASON_LENGTH = 1_000;

/** One call of a reply. */
interface Attempt {
  /** When the request must have left. */
  readonly deadline: number;
  /** True while Upwork may have executed it. */
  mayHaveArrived: boolean;
}

/** Limits of calls that no user waits for. */
type CallLimits = Pick<UpworkCaller, 'isPolling' | 'isInBackground'>;

/** Kinds of answers that say that Upwork did not execute the call. */
const REJECTIONS: ReadonlySet<UpworkErrorKind> = new Set([
  'refused',
  'limited',
  'permission_missing',
  'document_refused',
]);

/**
 * Sends replies to rooms on Upwork. A reply is stored before its only call. Without an answer nobody knows whether
 * Upwork has it: its delivery is unknown until the room shows it. Only the user sends it again.
 */
@Injectable()
export class MessageDeliveryService {
  private readonly logger = new Logger(MessageDeliveryService.name);

  constructor(
    private readonly database: Database,
    private readonly keys: IdempotencyStoreService,
    private readonly tokenRefresh: TokenRefreshService,
    private readonly upwork: UpworkClientService,
    private readonly rooms: UpworkRoomsService,
    private readonly accounts: UpworkAccountService,
  ) {}

  /**
   * Stores a reply and sends it once. The row and the key are stored in one transaction, which ends before the call.
   * @throws AppError `reference.not_found`, `message.undecided`, `idempotency.in_progress`, `idempotency.key_reused`
   */
  async send(reply: Reply, requestKey: RequestKey | undefined): Promise<StoredReply> {
    const created = await this.database.transaction((unit) => this.store(unit, reply, requestKey));
    if (!created.isReplay) await this.deliver(created.id);
    return created;
  }

  /**
   * Sends a reply again whose delivery is unknown or failed. It is first searched in its room: a discarded one was
   * unknown.
   * @throws AppError `message.not_sendable`, `upwork.unavailable` when the room cannot be read
   */
  async resend(id: number): Promise<void> {
    const row = await this.readDelivery(id);
    const isOpen = row.delivery === 'unknown' || row.delivery === 'failed';
    if (isOpen && (await this.searchRoom(row).catch(throwUnavailable))) return;
    const [retried] = await this.database.query(RETRY_REPLY, [id]);
    if (!retried) throw new AppError('message.not_sendable');
    await this.database.query(UPDATE_LAST_MESSAGE, [row.roomId]);
    await this.deliver(id);
  }

  /** Gives up a reply whose delivery is unknown or failed. @throws AppError `message.not_sendable` */
  async discard(id: number): Promise<void> {
    const row = await this.readDelivery(id);
    const [discarded] = await this.database.query(DISCARD_REPLY, [id]);
    if (!discarded) throw new AppError('message.not_sendable');
    await this.database.query(UPDATE_LAST_MESSAGE, [row.roomId]);
  }

  /**
   * Searches a room for a reply without an answer, if that is due. Session: the user for whom the task works.
   * @returns whether it was found; undefined when it was not due
   * @throws UpworkError, AppError when the room cannot be read; that search counts too, unless no calls are left
   */
  async check(id: number): Promise<boolean | undefined> {
    const [claimed] = await this.database.query(CLAIM_CHECK, [id]);
    if (!claimed) return undefined;
    const row = await this.readDelivery(id);
    try {
      return await this.searchRoom(row, { isPolling: true, isInBackground: true });
    } catch (error) {
      if (error instanceof UpworkError && error.kind === 'budget_used')
        await this.database.query(POSTPONE_CHECK, [id, (error.retryAfterMs ?? 0) / 1_000]);
      throw error;
    }
  }

  private async store(
    unit: UnitOfWork,
    { roomId, jobId, content }: Reply,
    requestKey: RequestKey | undefined,
  ): Promise<StoredReply> {
    const earlier = requestKey && (await this.keys.findCreatedId(unit, requestKey));
    if (earlier !== undefined) return { id: earlier, isReplay: true };
    const [room] = await unit.query<{ id: number; roomId: string }>(FIND_CONVERSATION, [roomId ?? null, jobId ?? null]);
    if (!room) throw buildUnknownRoomError(roomId === undefined ? '/jobId' : '/roomId');
    const [created] = await unit.query<{ id: number }>(CREATE_REPLY, [room.id, normalizeLineEnds(content)]);
    const { id } = created!;
    await unit.query(UPDATE_LAST_MESSAGE, [room.roomId]);
    if (requestKey) await this.keys.saveCreatedId(unit, requestKey, 201, id);
    return { id, isReplay: false };
  }

  /** Makes the call and records its outcome. */
  private async deliver(id: number): Promise<void> {
    const attempt: Attempt = { deadline: performance.now() + MAX_WAIT_MS, mayHaveArrived: false };
    try {
      const storyId = await this.callUpwork(await this.readDelivery(id), attempt);
      await this.recordSent(id, storyId);
    } catch (error) {
      await this.recordFailure(id, error, attempt);
    }
  }

  /** Sends a reply. Upwork did not execute a call whose access token was void; it is made again with a new token. */
  private async callUpwork(row: DeliveryRow, attempt: Attempt): Promise<string> {
    const variables = { input: { roomId: row.roomId, message: row.content } };
    const beforeSend = () => {
      if (performance.now() > attempt.deadline)
        throw new UpworkError('unavailable', 'Too many calls to Upwork are waiting');
      attempt.mayHaveArrived = true;
    };
    const { data } = await this.runAsCaller(row, (caller) =>
      this.upwork.callOnce(SEND_MESSAGE, variables, caller, beforeSend).catch((error: unknown) => {
        if (error instanceof UpworkError && REJECTIONS.has(error.kind)) attempt.mayHaveArrived = false;
        throw error;
      }),
    );
    return data.createRoomStoryV2.id;
  }

  private async recordFailure(id: number, error: unknown, { mayHaveArrived }: Attempt): Promise<void> {
    if (!(error instanceof UpworkError || error instanceof AppError))
      this.logger.error(`message ${id}: ${String(error)}`);
    await this.record(MARK_NOT_SENT, [id, mayHaveArrived ? 'unknown' : 'failed', describeError(error)]);
  }

  private recordSent(id: number, storyId: string): Promise<void> {
    return this.record(MARK_SENT, [id, storyId]);
  }

  /** Records the outcome of a call. One transaction. */
  private async record(statement: string, values: readonly unknown[]): Promise<void> {
    await this.database.transaction(async (unit) => {
      await unit.query(LOCK_MESSAGES);
      const [changed] = await unit.query<{ roomId: string }>(statement, [...values]);
      if (changed) await unit.query(UPDATE_LAST_MESSAGE, [changed.roomId]);
    });
  }

  /** Reads the newest messages of a room and those since the call. @returns whether the reply was sent */
  private async searchRoom(row: DeliveryRow, limits: CallLimits = {}): Promise<boolean> {
    await this.runAsCaller(row, async (user, tokenId) => {
      const caller = { ...user, ...limits };
      const upworkUserId = await this.accounts.findUserId(tokenId, caller);
      const room = { ...row, tokenId, readUntil: null };
      const reader: RoomReader = { upworkUserId, caller, readAnswer: ({ data }) => data };
      const storedUntil = row.attemptedAt.toISOString();
      await this.rooms.import(room, reader, { storedUntil, lastReadAt: null, windows: [] });
    });
    const [sent] = await this.database.query(`SELECT FROM messages WHERE id = $1 AND delivery = 'sent'`, [row.id]);
    return sent !== undefined;
  }

  private async readDelivery(id: number): Promise<DeliveryRow> {
    const [row] = await this.database.query<DeliveryRow>(READ_DELIVERY, [id]);
    if (!row) throw new AppError('message.not_found');
    return row;
  }

  private async runAsCaller<Result>(
    { tokenId, organizationId }: DeliveryRow,
    work: (caller: UpworkCaller, tokenId: number) => Promise<Result>,
  ): Promise<Result> {
    if (tokenId === null) throw new AppError('token.not_connected');
    const userId = currentUserId();
    return this.tokenRefresh.runWithAccessToken(tokenId, (accessToken) =>
      work({ userId, accessToken, organizationId }, tokenId),
    );
  }
}

/** Throws an error for the caller when a room cannot be read. */
function throwUnavailable(error: unknown): never {
  if (!(error instanceof UpworkError)) throw error;
  throw new AppError('upwork.unavailable', { detail: `The room cannot be read: ${error.message}`, cause: error });
}

function describeError(error: unknown): string {
  const isKnown = error instanceof UpworkError || error instanceof AppError;
  return isKnown ? error.message.slice(0, MAX_REASON_LENGTH) : 'An internal error occurred.';
}

function buildUnknownRoomError(pointer: '/jobId' | '/roomId'): AppError {
  const message = 'There is no conversation on Upwork. The client opens it; then synchronise the messages.';
  return new AppError('reference.not_found', {
    detail: message,
    errors: [{ pointer, code: 'reference_not_found', message }],
  });
}

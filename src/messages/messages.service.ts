import { Injectable } from '@nestjs/common';
import { Cache } from '../platform/cache/cache';
import { Database } from '../platform/database/database';
import type { UnitOfWork } from '../platform/database/unit-of-work';
import { AppError, invalidValue } from '../platform/errors/app-error';
import { assertVersion, type Preconditions } from '../platform/http/responses/preconditions';
import { KeysetPages } from '../platform/http/pagination/keyset-page';
import type { Page } from '../platform/http/pagination/page.dto';
import {
  type CreateMessageDto,
  type ListMessagesDto,
  MessageDto,
  type MessagesReadDto,
  type UnreadCountDto,
} from './messages.dto';
import { IdempotencyStoreService, type RequestKey } from '../platform/idempotency/idempotency.interceptor';
import { Message } from './message.entity';
import { MessageDeliveryService, type StoredReply } from './message-delivery.service';
import { COUNT_UNREAD, listMessages, LOCK_MESSAGES, READ_ALL_OF_JOB, type MessageRow } from './messages.queries';

/** Message of this request or of an earlier one with the same key. */
interface CreatedMessage {
  readonly message: MessageDto;
  readonly isReplay: boolean;
}

/** The signed-in user's conversations. A message never changes, except that it is marked as read. */
@Injectable()
export class MessagesService {
  constructor(
    private readonly database: Database,
    private readonly cache: Cache,
    private readonly pages: KeysetPages,
    private readonly keys: IdempotencyStoreService,
    private readonly deliveries: MessageDeliveryService,
  ) {}

  /**
   * Stores a message and sends it to Upwork if asked to; the freelancer's own counts as read. One audit row, and one
   * for the result of the sending. Repeating the key returns the same message.
   * @throws AppError `validation.failed`, `reference.not_found` (/jobId, /roomId), `message.undecided`,
   *   `idempotency.in_progress`, `idempotency.key_reused`
   */
  async create(dto: CreateMessageDto, requestKey: RequestKey | undefined): Promise<CreatedMessage> {
    assertFieldsFit(dto);
    const created = dto.send
      ? await this.deliveries.send(dto, requestKey)
      : await this.database.transaction((unit) => this.store(unit, dto, requestKey));
    return 'message' in created ? created : { message: await this.get(created.id), isReplay: created.isReplay };
  }

  /** Returns one page of the messages that match the filters, ordered by `sort`. One statement. */
  async list(query: ListMessagesDto): Promise<Page<MessageDto>> {
    const page = this.pages.open(query);
    const rows = await this.database.list<MessageRow>(...listMessages(query, page.after, page.take));
    return page.of(rows, (row) => [row.sortKey, row.id], MessageDto.from);
  }

  /** Returns one message. @throws AppError `message.not_found` */
  get(id: number): Promise<MessageDto> {
    return this.cache.read('messages', id, async () => {
      const message = await this.database.find(Message, id);
      if (!message) throw new AppError('message.not_found');
      return MessageDto.from(message);
    });
  }

  /**
   * Marks one message as read. One transaction; at most one audit row, none for a message that was already read.
   * @throws AppError `message.not_found`, `precondition.failed`
   */
  async markRead(id: number, ifMatch?: Preconditions): Promise<MessageDto> {
    const message = await this.database.change(Message, id, 'message.not_found', (current) => {
      assertVersion(current, ifMatch);
      return current.isRead ? {} : { isRead: true, readAt: new Date() };
    });
    return MessageDto.from(message);
  }

  /**
   * Marks all messages about one job as read and returns how many were unread. One transaction; an audit row
   * for each.
   * @throws AppError `reference.not_found` (/jobId)
   */
  async markJobRead(jobId: number): Promise<MessagesReadDto> {
    const [, [result]] = await this.database.transaction((unit) =>
      Promise.all([
        unit.query(LOCK_MESSAGES),
        unit.query<MessagesReadDto & { hasJob: boolean }>(READ_ALL_OF_JOB, [jobId]),
      ]),
    );
    if (!result?.hasJob) throw createUnknownJobError();
    return { updated: result.updated };
  }

  /** Sends a reply again. @see MessageDeliveryService.resend */
  async resend(id: number): Promise<MessageDto> {
    await this.deliveries.resend(id);
    return this.get(id);
  }

  /** Gives up a reply. @see MessageDeliveryService.discard */
  async discard(id: number): Promise<MessageDto> {
    await this.deliveries.discard(id);
    return this.get(id);
  }

  /** Counts the unread messages of clients. One statement. */
  async countUnread(): Promise<UnreadCountDto> {
    const [count] = await this.database.query<UnreadCountDto>(COUNT_UNREAD);
    return { unread: count!.unread };
  }

  private async store(
    unit: UnitOfWork,
    { jobId, senderType, content }: CreateMessageDto,
    requestKey: RequestKey | undefined,
  ): Promise<CreatedMessage | StoredReply> {
    const earlier = requestKey && (await this.keys.findCreatedId(unit, requestKey));
    if (earlier !== undefined) return { id: earlier, isReplay: true };
    const isRead = senderType === 'freelancer';
    const message = await unit.repository(Message).insert({ jobId, senderType, content, isRead });
    if (requestKey) await this.keys.saveCreatedId(unit, requestKey, 201, message.id);
    return { message: MessageDto.from(message), isReplay: false };
  }
}

/** Rejects fields that do not fit together: a message is sent to a room, or stored with its author. */
function assertFieldsFit({ send, roomId, jobId, senderType }: CreateMessageDto): void {
  if (!send) {
    if (senderType === undefined) throw invalidValue('/senderType', 'required', 'senderType is required.');
    if (roomId !== undefined) throw invalidValue('/roomId', 'not_allowed', 'roomId is only allowed with send.');
    return;
  }
  if (senderType === 'client') throw invalidValue('/senderType', 'not_allowed', 'Only your own message can be sent.');
  const hasJob = jobId !== undefined && jobId !== null;
  if (hasJob === (roomId !== undefined))
    throw invalidValue('/roomId', 'one_of', 'To send a message, give either jobId or roomId.');
}

function createUnknownJobError(): AppError {
  const message = 'You have no job with this id.';
  return new AppError('reference.not_found', {
    detail: message,
    errors: [{ pointer: '/jobId', code: 'reference_not_found', message }],
  });
}

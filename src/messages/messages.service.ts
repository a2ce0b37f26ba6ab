import { Injectable } from '@nestjs/common';
import { Cache } from '../platform/cache/cache';
import { Database } from '../platform/database/database';
import { AppError } from '../platform/errors/app-error';
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
import { Message } from './message.entity';
import { COUNT_UNREAD, listMessages, READ_ALL_OF_JOB, type MessageRow } from './messages.queries';

/** The signed-in user's conversations. A message never changes, except that it is marked as read. */
@Injectable()
export class MessagesService {
  constructor(
    private readonly database: Database,
    private readonly cache: Cache,
    private readonly pages: KeysetPages,
  ) {}

  /**
   * Stores a message; the freelancer's own counts as read. One transaction; one audit row.
   * @throws AppError `reference.not_found` (/jobId), from the foreign key
   */
  create(dto: CreateMessageDto): Promise<MessageDto> {
    const isRead = dto.senderType === 'freelancer';
    return this.database.transaction(async (unit) =>
      MessageDto.from(await unit.repository(Message).insert({ ...dto, isRead })),
    );
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
   * Marks all messages about one job as read and returns how many were unread. One statement; an audit row for each.
   * @throws AppError `reference.not_found` (/jobId)
   */
  async markJobRead(jobId: number): Promise<MessagesReadDto> {
    const [result] = await this.database.query<MessagesReadDto & { hasJob: boolean }>(READ_ALL_OF_JOB, [jobId]);
    if (!result?.hasJob) throw createUnknownJobError();
    return { updated: result.updated };
  }

  /** Counts the unread messages of clients. One statement. */
  async countUnread(): Promise<UnreadCountDto> {
    const [count] = await this.database.query<UnreadCountDto>(COUNT_UNREAD);
    return { unread: count!.unread };
  }
}

function createUnknownJobError(): AppError {
  const message = 'You have no job with this id.';
  return new AppError('reference.not_found', {
    detail: message,
    errors: [{ pointer: '/jobId', code: 'reference_not_found', message }],
  });
}

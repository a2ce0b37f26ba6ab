import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database';
import { AppError } from '../../platform/errors/app-error';
import { KeysetPages } from '../../platform/http/pagination/keyset-page';
import type { Page } from '../../platform/http/pagination/page.dto';
import { ConversationDto, type ListConversationsDto } from './conversations.dto';
import { listConversations, READ_CONVERSATION, type ConversationRow } from './conversations.queries';

/** The signed-in user's conversations on Upwork. The synchronisation stores them. */
@Injectable()
export class ConversationsService {
  constructor(
    private readonly database: Database,
    private readonly pages: KeysetPages,
  ) {}

  /** Returns one page of the conversations that match the filters, the latest activity first. One statement. */
  async list(query: ListConversationsDto): Promise<Page<ConversationDto>> {
    const page = this.pages.open(query);
    const rows = await this.database.list<ConversationRow>(...listConversations(query, page.after, page.take));
    return page.of(rows, (row) => [row.sortKey, row.id], ConversationDto.from);
  }

  /** Returns one conversation. One statement. @throws AppError `conversation.not_found` */
  async get(id: number): Promise<ConversationDto> {
    const [row] = await this.database.query<ConversationDto>(READ_CONVERSATION, [id]);
    if (!row) throw new AppError('conversation.not_found');
    return ConversationDto.from(row);
  }
}

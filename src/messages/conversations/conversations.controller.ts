import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SignedIn } from '../../platform/http/access/access';
import { ApiPage, type Page } from '../../platform/http/pagination/page.dto';
import { ParseIdPipe } from '../../platform/http/validation/request-validation.pipe';
import { ConversationDto, ListConversationsDto } from './conversations.dto';
import { ConversationsService } from './conversations.service';

/** Routes for conversations on Upwork. */
@ApiTags('Messages')
@SignedIn()
@Controller({ path: 'conversations', version: '1' })
export class ConversationsController {
  constructor(private readonly conversations: ConversationsService) {}

  @Get()
  @ApiOperation({
    operationId: 'listConversations',
    summary: 'List your conversations',
    description: 'Returns the rooms on Upwork with their last message, the latest activity first.',
  })
  @ApiPage(ConversationDto)
  list(@Query() query: ListConversationsDto): Promise<Page<ConversationDto>> {
    return this.conversations.list(query);
  }

  @Get(':id')
  @ApiOperation({
    operationId: 'getConversation',
    summary: 'Get a conversation',
    description: 'Returns one room with its last message. Its messages are at GET /v1/messages?roomId=.',
  })
  @ApiOkResponse({ type: ConversationDto, description: 'The conversation.' })
  get(@Param('id', ParseIdPipe) id: number): Promise<ConversationDto> {
    return this.conversations.get(id);
  }
}

import { Body, Controller, Get, HttpCode, Param, Query, Res } from '@nestjs/common';
import { ApiBody, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { SignedIn } from '../platform/http/access';
import { IfMatch, type Preconditions } from '../platform/http/if-match';
import { NoFieldsDto } from '../platform/http/no-fields.dto';
import type { Page } from '../platform/http/page';
import { ApiPage } from '../platform/http/page-response';
import { ParseIdPipe } from '../platform/http/parse-id.pipe';
import { Post } from '../platform/idempotency/post';
import { CreateMessageDto } from './dto/create-message.dto';
import { ListMessagesDto } from './dto/list-messages.dto';
import { MessageDto } from './dto/message.dto';
import { MessagesReadDto } from './dto/messages-read.dto';
import { ReadMessagesDto } from './dto/read-messages.dto';
import { UnreadCountDto } from './dto/unread-count.dto';
import { MessagesService } from './messages.service';

/** Conversations with clients. */
@ApiTags('Messages')
@SignedIn()
@Controller({ path: 'messages', version: '1' })
export class MessagesController {
  constructor(private readonly messages: MessagesService) {}

  @Post()
  @ApiOperation({
    summary: 'Store a message',
    description: 'Of a client or of yourself; yours is read from the start.',
  })
  @ApiCreatedResponse({ type: MessageDto, description: 'The message.' })
  async create(@Body() dto: CreateMessageDto, @Res({ passthrough: true }) reply: FastifyReply): Promise<MessageDto> {
    const message = await this.messages.create(dto);
    void reply.header('location', `/v1/messages/${message.id}`);
    return message;
  }

  @Get()
  @ApiOperation({
    summary: 'List your messages',
    description: 'All of them, or those about a job, or the unread ones.',
  })
  @ApiPage(MessageDto)
  list(@Query() query: ListMessagesDto): Promise<Page<MessageDto>> {
    return this.messages.list(query);
  }

  @Get('unread-count')
  @ApiOperation({ summary: 'Count unread messages', description: "The clients' messages; your own are never unread." })
  @ApiOkResponse({ type: UnreadCountDto, description: 'The count.' })
  countUnread(): Promise<UnreadCountDto> {
    return this.messages.countUnread();
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read a message', description: 'With its ETag; this alone does not mark it as read.' })
  @ApiOkResponse({ type: MessageDto, description: 'The message.' })
  get(@Param('id', ParseIdPipe) id: number): Promise<MessageDto> {
    return this.messages.get(id);
  }

  @Post('read')
  @HttpCode(200)
  @ApiOperation({
    summary: "Mark a job's messages as read",
    description:
      'All messages about the job, in one go. The job must be one of your own (POST /v1/jobs); it may have no messages yet.',
  })
  @ApiOkResponse({ type: MessagesReadDto, description: 'How many were unread before.' })
  markJobRead(@Body() { jobId }: ReadMessagesDto): Promise<MessagesReadDto> {
    return this.messages.markJobRead(jobId);
  }

  @Post(':id/read')
  @HttpCode(200)
  @ApiBody({ type: NoFieldsDto, required: false })
  @ApiOperation({ summary: 'Mark a message as read', description: 'One that is read already stays as it is.' })
  @ApiOkResponse({ type: MessageDto, description: 'The message, read.' })
  markRead(
    @Param('id', ParseIdPipe) id: number,
    @Body() _body: NoFieldsDto,
    @IfMatch() ifMatch?: Preconditions,
  ): Promise<MessageDto> {
    return this.messages.markRead(id, ifMatch);
  }
}

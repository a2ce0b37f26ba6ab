import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBody, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { SignedIn } from '../platform/http/access/access';
import { IfMatch, type Preconditions } from '../platform/http/responses/preconditions';
import { NoFieldsDto } from '../platform/http/validation/unread-input.guard';
import { ApiPage, type Page } from '../platform/http/pagination/page.dto';
import { ParseIdPipe } from '../platform/http/validation/request-validation.pipe';
import { Idempotent } from '../platform/idempotency/idempotency.interceptor';
import {
  CreateMessageDto,
  ListMessagesDto,
  MessageDto,
  MessagesReadDto,
  ReadMessagesDto,
  UnreadCountDto,
} from './messages.dto';
import { MessagesService } from './messages.service';

/** Routes for conversations with clients. */
@ApiTags('Messages')
@SignedIn()
@Controller({ path: 'messages', version: '1' })
export class MessagesController {
  constructor(private readonly messages: MessagesService) {}

  @Post()
  @Idempotent()
  @ApiOperation({
    operationId: 'createMessage',
    summary: 'Create a message',
    description: 'Stores a message of a client or of yourself. Your own counts as read.',
  })
  @ApiCreatedResponse({ type: MessageDto, description: 'The message.' })
  async create(@Body() dto: CreateMessageDto, @Res({ passthrough: true }) reply: FastifyReply): Promise<MessageDto> {
    const message = await this.messages.create(dto);
    void reply.header('location', `/v1/messages/${message.id}`);
    return message;
  }

  @Get()
  @ApiOperation({
    operationId: 'listMessages',
    summary: 'List your messages',
    description: 'All of them, or only those about a job, or only unread ones.',
  })
  @ApiPage(MessageDto)
  list(@Query() query: ListMessagesDto): Promise<Page<MessageDto>> {
    return this.messages.list(query);
  }

  @Get('unread-count')
  @ApiOperation({
    operationId: 'countUnreadMessages',
    summary: 'Count unread messages',
    description: "Counts the clients' messages; your own are never unread.",
  })
  @ApiOkResponse({ type: UnreadCountDto, description: 'The number of unread messages.' })
  countUnread(): Promise<UnreadCountDto> {
    return this.messages.countUnread();
  }

  @Get(':id')
  @ApiOperation({
    operationId: 'getMessage',
    summary: 'Get a message',
    description: 'Returns an ETag. Does not mark the message as read.',
  })
  @ApiOkResponse({ type: MessageDto, description: 'The message.' })
  get(@Param('id', ParseIdPipe) id: number): Promise<MessageDto> {
    return this.messages.get(id);
  }

  @Post('read')
  @Idempotent()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'markJobMessagesRead',
    summary: "Mark a job's messages as read",
    description: 'Marks all messages about one of your jobs as read. The job may have none.',
  })
  @ApiOkResponse({ type: MessagesReadDto, description: 'The number of messages that were unread.' })
  markJobRead(@Body() { jobId }: ReadMessagesDto): Promise<MessagesReadDto> {
    return this.messages.markJobRead(jobId);
  }

  @Post(':id/read')
  @Idempotent()
  @HttpCode(200)
  @ApiBody({ type: NoFieldsDto, required: false })
  @ApiOperation({
    operationId: 'markMessageRead',
    summary: 'Mark a message as read',
    description: 'A message that is already read does not change.',
  })
  @ApiOkResponse({ type: MessageDto, description: 'The updated message.' })
  markRead(
    @Param('id', ParseIdPipe) id: number,
    @Body() _body: NoFieldsDto,
    @IfMatch() ifMatch?: Preconditions,
  ): Promise<MessageDto> {
    return this.messages.markRead(id, ifMatch);
  }
}

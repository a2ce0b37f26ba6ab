import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SignedIn } from '../platform/http/access/access';
import { IfMatch, type Preconditions } from '../platform/http/responses/preconditions';
import { NoFieldsDto } from '../platform/http/validation/unread-input.guard';
import { ApiPage, type Page } from '../platform/http/pagination/page.dto';
import { ParseIdPipe } from '../platform/http/validation/request-validation.pipe';
import {
  readRequestKey,
  HandlesIdempotencyKey,
  Idempotent,
  NotIdempotent,
} from '../platform/idempotency/idempotency.interceptor';
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
  @HandlesIdempotencyKey('no transaction may be open during a call to Upwork; the key is stored with the message')
  @ApiOperation({
    operationId: 'createMessage',
    summary: 'Create a message',
    description:
      'Stores a message of a client or of yourself. Your own counts as read. With `send` your message is also sent ' +
      'to the room on Upwork, in one call that is never repeated. `delivery` is then `sent`, `failed`, or `unknown` ' +
      'when no answer arrived: the room is searched for it several times, and only you can send it again. Repeating ' +
      'the Idempotency-Key returns the same message and never sends a second one.',
  })
  @ApiCreatedResponse({ type: MessageDto, description: 'The message.' })
  @ApiResponse({ status: 409, description: 'The same text is still being sent to the room.' })
  async create(
    @Body() dto: CreateMessageDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MessageDto> {
    const { message, isReplay } = await this.messages.create(dto, readRequestKey(request));
    void reply.header('location', `/v1/messages/${message.id}`);
    if (isReplay) void reply.header('idempotent-replayed', 'true');
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

  @Post(':id/resend')
  @NotIdempotent('a message that is being sent or was sent is refused, so a repetition has no effect')
  @HttpCode(200)
  @ApiBody({ type: NoFieldsDto, required: false })
  @ApiOperation({
    operationId: 'resendMessage',
    summary: 'Send a message again',
    description:
      'Sends a message again whose `delivery` is `unknown` or `failed`. It is first searched in its room: if it is ' +
      'there, nothing is sent. Otherwise it gets the current time. If Upwork shows the first message only later, ' +
      'the client has both.',
  })
  @ApiOkResponse({ type: MessageDto, description: 'The message with its delivery.' })
  @ApiResponse({ status: 409, description: 'The message is being sent, or was sent.' })
  @ApiResponse({ status: 503, description: 'The room on Upwork cannot be read; nothing was sent.' })
  resend(@Param('id', ParseIdPipe) id: number, @Body() _body: NoFieldsDto): Promise<MessageDto> {
    return this.messages.resend(id);
  }

  @Post(':id/discard')
  @Idempotent()
  @HttpCode(200)
  @ApiBody({ type: NoFieldsDto, required: false })
  @ApiOperation({
    operationId: 'discardMessage',
    summary: 'Discard a message',
    description:
      'Gives up a message whose `delivery` is `unknown` or `failed`. It stays with `failed`. If Upwork has it after ' +
      'all, a synchronisation changes that to `sent`.',
  })
  @ApiOkResponse({ type: MessageDto, description: 'The message with its delivery.' })
  @ApiResponse({ status: 409, description: 'The message is being sent, or was sent.' })
  discard(@Param('id', ParseIdPipe) id: number, @Body() _body: NoFieldsDto): Promise<MessageDto> {
    return this.messages.discard(id);
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

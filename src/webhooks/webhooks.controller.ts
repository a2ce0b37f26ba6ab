import { Body, Controller, Delete, Get, Header, HttpCode, Param, Patch, Query } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { SignedIn } from '../platform/http/access/access';
import { IfMatch, type Preconditions } from '../platform/http/responses/preconditions';
import { ApiPage, type Page, PageQueryDto } from '../platform/http/pagination/page.dto';
import { ParseIdPipe } from '../platform/http/validation/request-validation.pipe';
import { LocationAt } from '../platform/http/responses/resource-headers';
import { Post } from '../platform/idempotency/post';
import { DeliveriesService } from './deliveries.service';
import { CreateWebhookDto, DeliveryDto, NewWebhookDto, UpdateWebhookDto, WebhookDto } from './webhooks.dto';
import { WebhooksService } from './webhooks.service';

/** Addresses of the user's own that are told of new matches, signed. */
@ApiTags('Webhooks')
@SignedIn()
@Controller({ path: 'webhooks', version: '1' })
export class WebhooksController {
  constructor(
    private readonly webhooks: WebhooksService,
    private readonly deliveries: DeliveriesService,
  ) {}

  @Post()
  @Header('cache-control', 'no-store')
  @ApiOperation({
    operationId: 'createWebhook',
    summary: 'Add a webhook',
    description:
      'Public https: addresses only. Messages are signed by the Standard Webhooks specification: webhook-id, webhook-timestamp, webhook-signature. The secret is shown in this answer only. Name the webhook in a saved search to have its new matches sent there.',
  })
  @ApiCreatedResponse({ type: NewWebhookDto, description: 'The webhook, with its secret.' })
  create(@Body() dto: CreateWebhookDto): Promise<NewWebhookDto> {
    return this.webhooks.create(dto);
  }

  @Get()
  @ApiOperation({ operationId: 'listWebhooks', summary: 'List your webhooks', description: 'Oldest first.' })
  @ApiPage(WebhookDto)
  list(@Query() query: PageQueryDto): Promise<Page<WebhookDto>> {
    return this.webhooks.list(query);
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getWebhook', summary: 'Read a webhook', description: 'Never with its secret.' })
  @ApiOkResponse({ type: WebhookDto, description: 'The webhook.' })
  get(@Param('id', ParseIdPipe) id: number): Promise<WebhookDto> {
    return this.webhooks.get(id);
  }

  @Patch(':id')
  @ApiOperation({
    operationId: 'updateWebhook',
    summary: 'Change a webhook',
    description: 'A JSON merge patch. What finds it switched off waits, and is sent when it is on again.',
  })
  @ApiOkResponse({ type: WebhookDto, description: 'The webhook as it is now.' })
  update(
    @Param('id', ParseIdPipe) id: number,
    @Body() dto: UpdateWebhookDto,
    @IfMatch() ifMatch?: Preconditions,
  ): Promise<WebhookDto> {
    return this.webhooks.update(id, dto, ifMatch);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'deleteWebhook',
    summary: 'Delete a webhook',
    description: 'With the log of what it was sent. Searches that used it mail their matches again.',
  })
  @ApiNoContentResponse({ description: 'It is gone.' })
  remove(@Param('id', ParseIdPipe) id: number, @IfMatch() ifMatch?: Preconditions): Promise<void> {
    return this.webhooks.remove(id, ifMatch);
  }

  @Post(':id/rotate-secret')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiOperation({
    operationId: 'rotateWebhookSecret',
    summary: 'Make a new secret',
    description: 'For 24 hours messages are signed with both, so that nothing is lost while you change it.',
  })
  @ApiOkResponse({ type: NewWebhookDto, description: 'The webhook, with its new secret.' })
  rotateSecret(@Param('id', ParseIdPipe) id: number, @IfMatch() ifMatch?: Preconditions): Promise<NewWebhookDto> {
    return this.webhooks.rotateSecret(id, ifMatch);
  }

  @Post(':id/test')
  @HttpCode(202)
  @LocationAt('/v1/webhooks/:id/deliveries')
  @ApiOperation({
    operationId: 'sendTestDelivery',
    summary: 'Send a test message',
    description:
      'Of type webhook.test, within moments; at most 5 a minute for each webhook, beyond that 429 with Retry-After. How it went is in the deliveries.',
  })
  @ApiAcceptedResponse({ type: DeliveryDto, description: 'The recorded delivery.' })
  sendTest(@Param('id', ParseIdPipe) id: number): Promise<DeliveryDto> {
    return this.deliveries.sendTest(id);
  }

  @Get(':id/deliveries')
  @ApiOperation({
    operationId: 'listWebhookDeliveries',
    summary: 'List what a webhook was sent',
    description: 'Newest first, for 30 days: attempts, status, what went wrong, when it is tried again.',
  })
  @ApiPage(DeliveryDto)
  listDeliveries(@Param('id', ParseIdPipe) id: number, @Query() query: PageQueryDto): Promise<Page<DeliveryDto>> {
    return this.deliveries.list(id, query);
  }

  @Post(':id/deliveries/:deliveryId/retry')
  @HttpCode(202)
  @LocationAt('/v1/webhooks/:id/deliveries')
  @ApiOperation({
    operationId: 'retryWebhookDelivery',
    summary: 'Send a failed delivery again',
    description: 'Under the same webhook-id, by which a receiver knows a repetition.',
  })
  @ApiAcceptedResponse({ type: DeliveryDto, description: 'The delivery, pending again.' })
  retry(
    @Param('id', ParseIdPipe) id: number,
    @Param('deliveryId', ParseIdPipe) deliveryId: number,
  ): Promise<DeliveryDto> {
    return this.deliveries.retry(id, deliveryId);
  }
}

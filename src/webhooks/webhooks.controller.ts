import { Body, Controller, Delete, Get, Header, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { SignedIn } from '../platform/http/access/access';
import { IfMatch, LocationAt, type Preconditions } from '../platform/http/responses/preconditions';
import { ApiPage, type Page, PageQueryDto } from '../platform/http/pagination/page.dto';
import { ParseIdPipe } from '../platform/http/validation/request-validation.pipe';
import { Idempotent, NotIdempotent } from '../platform/idempotency/idempotency.interceptor';
import { DeliveriesService } from './deliveries.service';
import { CreateWebhookDto, DeliveryDto, NewWebhookDto, UpdateWebhookDto, WebhookDto } from './webhooks.dto';
import { WebhooksService } from './webhooks.service';

/** Webhooks that receive signed messages about new matches, and their deliveries. */
@ApiTags('Webhooks')
@SignedIn()
@Controller({ path: 'webhooks', version: '1' })
export class WebhooksController {
  constructor(
    private readonly webhooks: WebhooksService,
    private readonly deliveries: DeliveriesService,
  ) {}

  @Post()
  @NotIdempotent('the response contains the secret')
  @Header('cache-control', 'no-store')
  @ApiOperation({
    operationId: 'createWebhook',
    summary: 'Create a webhook',
    description:
      'Only public https: addresses are allowed. Set `webhookId` of a saved search to receive its new matches. ' +
      'A message is a POST of `{"type", "timestamp", "data"}`; the types are `saved_search.matched` and ' +
      '`webhook.test`. Messages are signed by the Standard Webhooks specification: webhook-id, webhook-timestamp, ' +
      'webhook-signature. Only this response contains the secret.',
  })
  @ApiCreatedResponse({ type: NewWebhookDto, description: 'The new webhook with its secret.' })
  create(@Body() dto: CreateWebhookDto): Promise<NewWebhookDto> {
    return this.webhooks.create(dto);
  }

  @Get()
  @ApiOperation({
    operationId: 'listWebhooks',
    summary: 'List webhooks',
    description: 'Returns your webhooks, oldest first.',
  })
  @ApiPage(WebhookDto)
  list(@Query() query: PageQueryDto): Promise<Page<WebhookDto>> {
    return this.webhooks.list(query);
  }

  @Get(':id')
  @ApiOperation({
    operationId: 'getWebhook',
    summary: 'Get a webhook',
    description: 'Returns the webhook without its secret.',
  })
  @ApiOkResponse({ type: WebhookDto, description: 'The webhook.' })
  get(@Param('id', ParseIdPipe) id: number): Promise<WebhookDto> {
    return this.webhooks.get(id);
  }

  @Patch(':id')
  @ApiOperation({
    operationId: 'updateWebhook',
    summary: 'Update a webhook',
    description:
      'Takes a JSON merge patch. While the webhook is disabled, new matches wait; ' +
      'they are sent once it is enabled again.',
  })
  @ApiOkResponse({ type: WebhookDto, description: 'The updated webhook.' })
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
    description: 'Deletes the webhook and its deliveries. Saved searches that used it send emails again.',
  })
  @ApiNoContentResponse({ description: 'The webhook is deleted.' })
  remove(@Param('id', ParseIdPipe) id: number, @IfMatch() ifMatch?: Preconditions): Promise<void> {
    return this.webhooks.remove(id, ifMatch);
  }

  @Post(':id/rotate-secret')
  @NotIdempotent('the response contains the secret')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiOperation({
    operationId: 'rotateWebhookSecret',
    summary: 'Rotate the secret of a webhook',
    description:
      'Creates a new secret. Messages are signed with both secrets for 24 hours, ' +
      'so that no message is lost during the change.',
  })
  @ApiOkResponse({ type: NewWebhookDto, description: 'The webhook with its new secret.' })
  rotateSecret(@Param('id', ParseIdPipe) id: number, @IfMatch() ifMatch?: Preconditions): Promise<NewWebhookDto> {
    return this.webhooks.rotateSecret(id, ifMatch);
  }

  @Post(':id/test')
  @Idempotent()
  @HttpCode(202)
  @LocationAt('/v1/webhooks/:id/deliveries')
  @ApiOperation({
    operationId: 'sendTestDelivery',
    summary: 'Send a test message',
    description:
      'Sends a message of type webhook.test within moments. Limited to 5 a minute per webhook; more are rejected ' +
      'with 429 and Retry-After. The deliveries show the result.',
  })
  @ApiAcceptedResponse({ type: DeliveryDto, description: 'The recorded delivery.' })
  sendTest(@Param('id', ParseIdPipe) id: number): Promise<DeliveryDto> {
    return this.deliveries.sendTest(id);
  }

  @Get(':id/deliveries')
  @ApiOperation({
    operationId: 'listWebhookDeliveries',
    summary: 'List deliveries of a webhook',
    description:
      'Returns the deliveries of the last 30 days, newest first, with status, attempts, last error and next attempt.',
  })
  @ApiPage(DeliveryDto)
  listDeliveries(@Param('id', ParseIdPipe) id: number, @Query() query: PageQueryDto): Promise<Page<DeliveryDto>> {
    return this.deliveries.list(id, query);
  }

  @Post(':id/deliveries/:deliveryId/retry')
  @Idempotent()
  @HttpCode(202)
  @LocationAt('/v1/webhooks/:id/deliveries')
  @ApiOperation({
    operationId: 'retryWebhookDelivery',
    summary: 'Retry a failed delivery',
    description: 'Sends the delivery again with the same webhook-id, by which receivers detect duplicates.',
  })
  @ApiAcceptedResponse({ type: DeliveryDto, description: 'The delivery, now pending.' })
  retry(
    @Param('id', ParseIdPipe) id: number,
    @Param('deliveryId', ParseIdPipe) deliveryId: number,
  ): Promise<DeliveryDto> {
    return this.deliveries.retry(id, deliveryId);
  }
}

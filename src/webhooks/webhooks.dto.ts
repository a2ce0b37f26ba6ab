import { ApiProperty, PartialType } from '@nestjs/swagger';
import { ApiInstant, ApiId, ApiVersionNumber, pickFields, ResponseType } from '../platform/http/openapi/dto-fields';
import { IsUrl, ValidateBy } from 'class-validator';
import type { DeliveryRow } from './deliveries.queries';
import { BooleanField, Field, TextLength } from '../platform/http/validation/fields';
import { Sensitive } from '../platform/logging/sensitive-fields';

const MAX_URL_LENGTH = 2_000;
const MESSAGE = 'url must be an https: URL.';

/**
 * Characters that other programs may interpret differently: backslashes, white space, and marks that change the
 * direction of text.
 */
const MISLEADING = /[\\\s\p{C}]/u;

/** Rejects URLs that the platform cannot parse: zone ids of addresses, invalid punycode, numbers that are too large. */
const Parsable = (): PropertyDecorator =>
  ValidateBy(
    {
      name: 'isUrl',
      validator: { validate: (value) => typeof value === 'string' && !MISLEADING.test(value) && URL.canParse(value) },
    },
    { message: MESSAGE },
  );

/** Body of POST /v1/webhooks. */
export class CreateWebhookDto {
  @Field(
    { type: String, maxLength: MAX_URL_LENGTH },
    { description: 'Public https: URL that receives messages.', example: 'https://hooks.example.com/gigvault' },
    TextLength(0, MAX_URL_LENGTH),
    IsUrl({ protocols: ['http', 'https'], require_protocol: true, require_tld: false }, { message: MESSAGE }),
    Parsable(),
  )
  url: string;
}

/** Merge patch of a webhook. */
export class UpdateWebhookDto extends PartialType(CreateWebhookDto, { skipNullProperties: false }) {
  @BooleanField({
    optional: true,
    description: 'False disables the webhook: nothing is sent, and new matches wait.',
    example: true,
  })
  isActive?: boolean;
}

/** Webhook in API responses, without its secret. */
export class WebhookDto extends ResponseType(CreateWebhookDto) {
  @ApiId('Id of the webhook.')
  id: number;

  @ApiProperty({
    type: Boolean,
    description: 'False when disabled, by the user or because the receiver answered 410.',
    example: true,
  })
  isActive: boolean;

  @ApiInstant({ description: 'When the previous secret stops signing (UTC).', nullable: true })
  previousSecretUntil: Date | null;

  @ApiVersionNumber()
  version: number;

  @ApiInstant({ description: 'When the webhook was created (UTC).' })
  createdAt: Date;

  @ApiInstant({ description: 'When the webhook last changed (UTC).' })
  updatedAt: Date;

  /** Maps a row. */
  static from(this: void, webhook: WebhookDto): WebhookDto {
    return pickFields(WebhookDto, webhook);
  }
}

/** Webhook with its newly generated secret. */
export class NewWebhookDto extends WebhookDto {
  @ApiProperty({
    type: String,
    description: 'Secret that verifies signatures. Returned only here.',
    example: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  })
  @Sensitive()
  secret: string;
}

/** Message to a webhook and its delivery status. */
export class DeliveryDto {
  @ApiProperty({ type: 'integer', description: 'Id of the delivery.', example: 8 })
  id: number;

  @ApiProperty({
    type: String,
    format: 'uuid',
    description: 'Header webhook-id, the same for every attempt.',
    example: '0b9df4ee-6f9b-4d32-9a5e-0f1f5f0a1d77',
  })
  eventId: string;

  @ApiProperty({ type: String, description: 'Type of the event.', example: 'saved_search.matched' })
  eventType: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'Data of the event.',
    example: { searches: [{ id: 4, name: 'Slow databases', newMatches: 3 }] },
  })
  data: Readonly<Record<string, unknown>>;

  @ApiProperty({
    enum: ['pending', 'delivered', 'failed'],
    description: 'Status: `pending` is retried automatically; `failed` is not.',
    example: 'delivered',
  })
  status: DeliveryRow['status'];

  @ApiProperty({ type: 'integer', description: 'Number of attempts.', example: 1 })
  attempts: number;

  @ApiInstant({
    nullable: true,
    description: 'When the next attempt is due (UTC); null unless pending.',
  })
  nextAttemptAt: Date | null;

  @ApiProperty({ type: 'integer', nullable: true, description: 'HTTP status of the last response.', example: 204 })
  responseStatus: number | null;

  @ApiProperty({ type: String, nullable: true, description: 'Error of the last attempt.', example: null })
  lastError: string | null;

  @ApiInstant({ nullable: true, description: 'When it was delivered (UTC).', example: '2026-01-31T09:30:00.000Z' })
  deliveredAt: Date | null;

  @ApiInstant({ description: 'When it was recorded (UTC).' })
  createdAt: Date;

  /** Maps a row. */
  static from(this: void, row: DeliveryRow): DeliveryDto {
    const {
      id,
      eventId,
      eventType,
      payload: data,
      status,
      attempts,
      nextAt,
      responseStatus,
      lastError,
      deliveredAt,
      createdAt,
    } = row;
    const nextAttemptAt = status === 'pending' ? nextAt : null;
    return {
      id,
      eventId,
      eventType,
      data,
      status,
      attempts,
      nextAttemptAt,
      responseStatus,
      lastError,
      deliveredAt,
      createdAt,
    };
  }
}

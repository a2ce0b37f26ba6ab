import { ApiProperty, ApiPropertyOptional, PartialType } from '@nestjs/swagger';
import { IsBoolean, IsUrl, ValidateBy } from 'class-validator';
import { TextLength } from '../platform/http/validation/text';
import { OptionalField } from '../platform/http/validation/fields';
import type { Webhook } from './webhook.entity';
import type { DeliveryRow } from './deliveries.queries';

const MESSAGE = 'url must be an https: URL';

/** Characters that other programs read as another address: backslashes, white space, and marks that turn the text round. */
const MISLEADING = /[\\\s\p{C}]/u;

/** What the platform cannot parse it cannot call: zones of addresses, labels that are no punycode, numbers too large. */
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
  @ApiProperty({
    type: String,
    maxLength: 2000,
    description: 'Where messages are sent: a public https: address.',
    example: 'https://hooks.example.com/gigvault',
  })
  @TextLength(0, 2_000)
  @IsUrl({ protocols: ['http', 'https'], require_protocol: true, require_tld: false }, { message: MESSAGE })
  @Parsable()
  url: string;
}

/** A merge patch of a webhook. */
export class UpdateWebhookDto extends PartialType(CreateWebhookDto, { skipNullProperties: false }) {
  @ApiPropertyOptional({ type: Boolean, description: 'Off: nothing is sent, and new matches wait.', example: true })
  @OptionalField()
  @IsBoolean()
  isActive?: boolean;
}

/** A webhook as the API shows it: without its secret. */
export class WebhookDto {
  @ApiProperty({ type: 'integer', description: 'The id.', example: 2 })
  id: number;

  @ApiProperty({ type: String, description: 'Where messages are sent.', example: 'https://hooks.example.com/gigvault' })
  url: string;

  @ApiProperty({
    type: Boolean,
    description: 'Off: nothing is sent. A receiver that answers 410 is switched off.',
    example: true,
  })
  isActive: boolean;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'Until when the secret before signs, too.',
    example: null,
  })
  previousSecretUntil: Date | null;

  @ApiProperty({ type: 'integer', description: 'Counts its changes; its ETag.', example: 1 })
  version: number;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When it was made.',
    example: '2026-01-31T09:30:00.000Z',
  })
  createdAt: Date;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When it last changed.',
    example: '2026-01-31T09:30:00.000Z',
  })
  updatedAt: Date;

  /** Shows a row of the table. */
  static from(this: void, webhook: Webhook): WebhookDto {
    const { id, url, isActive, previousSecretUntil, version, createdAt, updatedAt } = webhook;
    return { id, url, isActive, previousSecretUntil, version, createdAt, updatedAt };
  }
}

/** A webhook with the secret that was made just now. */
export class NewWebhookDto extends WebhookDto {
  @ApiProperty({
    type: String,
    description: 'Verifies the signatures. Shown only now.',
    example: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  })
  secret: string;
}

/** A message to a webhook, and how its sending went. */
export class DeliveryDto {
  @ApiProperty({ type: 'integer', description: 'The id.', example: 8 })
  id: number;

  @ApiProperty({
    type: String,
    format: 'uuid',
    description: 'Its webhook-id, the same at each attempt.',
    example: '0b9df4ee-6f9b-4d32-9a5e-0f1f5f0a1d77',
  })
  eventId: string;

  @ApiProperty({ type: String, description: 'What it tells.', example: 'saved_search.matched' })
  eventType: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'Its data.',
    example: { searches: [{ id: 4, name: 'Slow databases', newMatches: 3 }] },
  })
  data: Readonly<Record<string, unknown>>;

  @ApiProperty({
    enum: ['pending', 'delivered', 'failed'],
    description: 'pending is tried again by itself; failed was given up.',
    example: 'delivered',
  })
  status: DeliveryRow['status'];

  @ApiProperty({ type: 'integer', description: 'How often it was tried.', example: 1 })
  attempts: number;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When it is tried next.',
    example: null,
  })
  nextAttemptAt: Date | null;

  @ApiProperty({ type: 'integer', nullable: true, description: 'HTTP status of the last answer.', example: 204 })
  responseStatus: number | null;

  @ApiProperty({ type: String, nullable: true, description: 'What went wrong at the last attempt.', example: null })
  lastError: string | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When it arrived.',
    example: '2026-01-31T09:30:00.000Z',
  })
  deliveredAt: Date | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When it was recorded.',
    example: '2026-01-31T09:30:00.000Z',
  })
  createdAt: Date;

  /** Shows a row of the table. */
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

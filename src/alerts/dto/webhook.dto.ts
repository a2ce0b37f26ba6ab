import { ApiProperty } from '@nestjs/swagger';
import type { Webhook } from '../webhook.entity';

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

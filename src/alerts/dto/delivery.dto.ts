import { ApiProperty } from '@nestjs/swagger';
import type { DeliveryRow } from '../deliveries.queries';

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

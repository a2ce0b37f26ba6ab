import { ApiProperty } from '@nestjs/swagger';
import { ApiInstant } from '../http/openapi/dto-fields';
import { IsString } from 'class-validator';
import { Field, TextLength } from '../http/validation/fields';

/** The filter of the outbox. */
export class ListOutboxDto {
  @Field(
    { type: String, maxLength: 254 },
    { optional: true, description: 'Recipient address to filter by (case-insensitive).', example: 'ann@example.com' },
    IsString(),
    TextLength(0, 254),
  )
  readonly to?: string;
}

/** An email in the local outbox. */
export class OutboxMailDto {
  @ApiProperty({ description: 'Id of the email.', example: 12 })
  readonly id: number;

  @ApiProperty({ description: "Recipient's address.", example: 'ann@example.com' })
  readonly to: string;

  @ApiProperty({ description: 'Subject of the email.', example: 'Confirm your email address' })
  readonly subject: string;

  @ApiProperty({
    description: 'Plain text of the email.',
    example: 'Open this link to confirm your email address:\n\nhttp://127.0.0.1:3000/verify-email?token=…',
  })
  readonly text: string;

  @ApiInstant({
    description: 'When the email was created (UTC).',
  })
  readonly createdAt: Date;
}

/** The emails of the last 24 hours, newest first. */
export class OutboxDto {
  @ApiProperty({ type: [OutboxMailDto], description: 'Emails, newest first; at most 100.' })
  readonly items: OutboxMailDto[];
}

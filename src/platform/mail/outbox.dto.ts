import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsString } from 'class-validator';
import { TextLength } from '../http/validation/text';
import { OptionalField } from '../http/validation/fields';

/** What to look for in the outbox. */
export class ListOutboxDto {
  @ApiPropertyOptional({ description: 'Only letters to this address, in any letter case.', example: 'ann@example.com' })
  @OptionalField()
  @IsString()
  @TextLength(0, 254)
  readonly to?: string;
}

/** A letter that was not sent by a mail server. */
export class OutboxMailDto {
  @ApiProperty({ description: 'Number of the letter.', example: 12 })
  readonly id: number;

  @ApiProperty({ description: 'Whom it is for.', example: 'ann@example.com' })
  readonly to: string;

  @ApiProperty({ description: 'Its subject.', example: 'Confirm your e-mail address' })
  readonly subject: string;

  @ApiProperty({
    description: 'Its text.',
    example: 'Open this link to confirm your e-mail address:\n\nhttp://127.0.0.1:3000/verify-email?token=…',
  })
  readonly text: string;

  @ApiProperty({ description: 'When it was written.', format: 'date-time', example: '2026-01-31T09:30:00.000Z' })
  readonly createdAt: Date;
}

/** The letters of the last 24 hours, newest first. */
export class OutboxDto {
  @ApiProperty({ type: [OutboxMailDto], description: 'At most 100 letters, newest first.' })
  readonly items: OutboxMailDto[];
}

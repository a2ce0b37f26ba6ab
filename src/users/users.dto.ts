import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { User } from './user.entity';
import { NullableTextField } from '../platform/http/validation/text';

/** One's own account. */
export class UserDto {
  @ApiProperty({ description: 'Number of the user.', example: 7 })
  readonly id: number;

  @ApiProperty({ description: 'E-mail address.', format: 'email', example: 'ann@example.com' })
  readonly email: string;

  @ApiProperty({ description: 'First name.', type: String, nullable: true, example: 'Ann' })
  readonly firstName: string | null;

  @ApiProperty({ description: 'Last name.', type: String, nullable: true, example: 'Other' })
  readonly lastName: string | null;

  @ApiProperty({ description: 'What he may do.', enum: ['user', 'admin'], example: 'user' })
  readonly role: 'user' | 'admin';

  @ApiProperty({ description: 'Whether the address is confirmed.', example: true })
  readonly isVerified: boolean;

  @ApiProperty({ description: 'Counts the changes; the ETag is made of it.', example: 1 })
  readonly version: number;

  @ApiProperty({ description: 'When he signed up.', format: 'date-time', example: '2026-01-31T09:30:00.000Z' })
  readonly createdAt: Date;

  @ApiProperty({
    description: 'When the account last changed.',
    format: 'date-time',
    example: '2026-01-31T09:30:00.000Z',
  })
  readonly updatedAt: Date;

  /** The public face of an account. */
  static from({ id, email, firstName, lastName, role, isVerified, version, createdAt, updatedAt }: User): UserDto {
    return { id, email, firstName, lastName, role, isVerified, version, createdAt, updatedAt };
  }
}

/** Changes of one's own account; null clears a name. */
export class UpdateUserDto {
  @ApiPropertyOptional({ description: 'First name.', type: String, nullable: true, maxLength: 100, example: 'Ann' })
  @NullableTextField(100)
  readonly firstName?: string | null;

  @ApiPropertyOptional({ description: 'Last name.', type: String, nullable: true, maxLength: 100, example: 'Other' })
  @NullableTextField(100)
  readonly lastName?: string | null;
}

/** One limit and what was used of it. */
export class LimitDto {
  @ApiProperty({ description: 'What is limited.', example: 'requests' })
  readonly name: string;

  @ApiProperty({ description: 'How many, in one window; of sizes: bytes.', example: 600 })
  readonly limit: number;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'How many were used in this window; null of sizes.',
    example: 12,
  })
  readonly used: number | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Length of the window in seconds; null of sizes.',
    example: 60,
  })
  readonly windowSeconds: number | null;
}

/** The limits of the signed-in user. */
export class LimitsDto {
  @ApiProperty({ type: [LimitDto], description: 'A limit that is switched off is left out.' })
  readonly items: LimitDto[];
}

/** What was erased, and what is left until when. */
export class ErasureCertificateDto {
  @ApiProperty({ description: 'Number the account had; it is never given again.', example: 7 })
  readonly userId: number;

  @ApiProperty({ description: 'When it was erased.', format: 'date-time', example: '2026-01-31T09:30:00.000Z' })
  readonly erasedAt: Date;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer' },
    description: 'Rows that were deleted, by table.',
    example: { users: 1, jobs: 120, proposals: 14 },
  })
  readonly deletedRows: Record<string, number>;

  @ApiProperty({ description: 'Rows of the audit log whose values were forgotten.', example: 160 })
  readonly auditRowsForgotten: number;

  @ApiProperty({ description: 'Security events whose address, agent and details were forgotten.', example: 12 })
  readonly securityEventsForgotten: number;

  @ApiProperty({ description: 'Sessions that were ended.', example: 2 })
  readonly sessionsEnded: number;

  @ApiProperty({
    description:
      'Until when older backups hold the account; what was sealed in them has no key any more from the first backup after it on.',
    format: 'date-time',
    example: '2026-03-07T09:30:00.000Z',
  })
  readonly backupsHoldItUntil: Date;

  @ApiProperty({
    type: [String],
    description: 'What stays, and for how long.',
    example: ['job statistics: two numbers and a date without a name, until their next refresh, within an hour'],
  })
  readonly whatStays: string[];
}

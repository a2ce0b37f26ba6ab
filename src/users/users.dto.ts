import { ApiProperty } from '@nestjs/swagger';
import { ApiInstant } from '../platform/http/openapi/dto-fields';
import type { User } from './user.entity';
import { TextField } from '../platform/http/validation/fields';

/** The user's own account. */
export class UserDto {
  @ApiProperty({ description: 'Id of the user.', example: 7 })
  readonly id: number;

  @ApiProperty({ description: 'Email address.', format: 'email', example: 'ann@example.com' })
  readonly email: string;

  @ApiProperty({ description: 'First name.', type: String, nullable: true, example: 'Ann' })
  readonly firstName: string | null;

  @ApiProperty({ description: 'Last name.', type: String, nullable: true, example: 'Other' })
  readonly lastName: string | null;

  @ApiProperty({ description: 'Role of the user.', enum: ['user', 'admin'], example: 'user' })
  readonly role: 'user' | 'admin';

  @ApiProperty({ description: 'True when the email address is verified.', example: true })
  readonly isVerified: boolean;

  @ApiProperty({ description: 'Number of the version, used as the ETag.', example: 1 })
  readonly version: number;

  @ApiInstant({
    description: 'When the account was created (UTC).',
  })
  readonly createdAt: Date;

  @ApiInstant({
    description: 'When the account last changed (UTC).',
  })
  readonly updatedAt: Date;

  /** Returns the fields of an account that its owner may see. */
  static from({ id, email, firstName, lastName, role, isVerified, version, createdAt, updatedAt }: User): UserDto {
    return { id, email, firstName, lastName, role, isVerified, version, createdAt, updatedAt };
  }
}

/** Changes of the user's own account; null clears a name. */
export class UpdateUserDto {
  @TextField({ max: 100, nullable: true, description: 'First name.', example: 'Ann' })
  readonly firstName?: string | null;

  @TextField({ max: 100, nullable: true, description: 'Last name.', example: 'Other' })
  readonly lastName?: string | null;
}

/** One limit and its current use. */
export class LimitDto {
  @ApiProperty({ description: 'Name of the limit.', example: 'requests' })
  readonly name: string;

  @ApiProperty({ description: 'Maximum number of uses per window; bytes for sizes.', example: 600 })
  readonly limit: number;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Uses in the current window; null for sizes.',
    example: 12,
  })
  readonly used: number | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Length of the window in seconds; null for sizes.',
    example: 60,
  })
  readonly windowSeconds: number | null;
}

/** The limits of the signed-in user. */
export class LimitsDto {
  @ApiProperty({ type: [LimitDto], description: 'Limits; disabled ones are left out.' })
  readonly items: LimitDto[];
}

/** Data of an erased account that stays somewhere. */
export class RetainedDataDto {
  @ApiProperty({ description: 'Where the data stays.', example: 'backups' })
  readonly place: string;

  @ApiProperty({
    description: 'Which data stays there, and why.',
    example: 'copies of the database before the erasure',
  })
  readonly content: string;

  @ApiInstant({
    description: 'When it is gone (UTC); null when no time limits it.',
    nullable: true,
    example: '2026-03-07T09:30:00.000Z',
  })
  readonly until: Date | null;
}

/** Certificate of an erasure: what was erased and what stays until when. */
export class ErasureCertificateDto {
  @ApiProperty({ description: 'Id of the erased account; it is never reused.', example: 7 })
  readonly userId: number;

  @ApiInstant({
    description: 'When the account was erased (UTC).',
  })
  readonly erasedAt: Date;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer' },
    description: 'Number of deleted rows, by table.',
    example: { users: 1, jobs: 120, proposals: 14 },
  })
  readonly deletedRows: Record<string, number>;

  @ApiProperty({ description: 'Number of audit log entries whose values were removed.', example: 160 })
  readonly auditRowsForgotten: number;

  @ApiProperty({
    description: 'Number of security events whose address, user agent and details were removed.',
    example: 12,
  })
  readonly securityEventsForgotten: number;

  @ApiProperty({ description: 'Number of ended sessions.', example: 2 })
  readonly sessionsEnded: number;

  @ApiInstant({
    description:
      'When the last backup with the account expires (UTC). Backups made after the erasure do not contain ' +
      'its data key.',
    example: '2026-03-07T09:30:00.000Z',
  })
  readonly backupsHoldItUntil: Date;

  @ApiProperty({
    type: [RetainedDataDto],
    description: 'All places where data stays, and until when. In no other place of the installation a text stays.',
  })
  readonly whatStays: RetainedDataDto[];
}

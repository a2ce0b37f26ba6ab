import { ApiProperty } from '@nestjs/swagger';
import type { User } from '../user.entity';

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

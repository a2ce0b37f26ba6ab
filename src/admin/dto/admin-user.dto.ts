import { ApiProperty } from '@nestjs/swagger';

/** An account as admins see it: never a secret. */
export class AdminUserDto {
  @ApiProperty({ type: 'integer', description: 'Number of the user.', example: 7 })
  id: number;

  @ApiProperty({ description: 'E-mail address.', format: 'email', example: 'ann@example.com' })
  email: string;

  @ApiProperty({ description: 'First name.', type: String, nullable: true, example: 'Ann' })
  firstName: string | null;

  @ApiProperty({ description: 'Last name.', type: String, nullable: true, example: 'Other' })
  lastName: string | null;

  @ApiProperty({ description: 'What he may do.', enum: ['user', 'admin'], example: 'user' })
  role: 'user' | 'admin';

  @ApiProperty({ description: 'Whether he may sign in.', example: true })
  isActive: boolean;

  @ApiProperty({ description: 'Whether the address is confirmed.', example: true })
  isVerified: boolean;

  @ApiProperty({ description: 'Whether a second factor is on.', example: false })
  mfaEnabled: boolean;

  @ApiProperty({ description: 'When he signed up.', format: 'date-time', example: '2026-01-31T09:30:00.000Z' })
  createdAt: Date;

  @ApiProperty({
    description: 'When the account last changed.',
    format: 'date-time',
    example: '2026-01-31T09:30:00.000Z',
  })
  updatedAt: Date;
}

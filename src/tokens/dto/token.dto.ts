import { ApiProperty } from '@nestjs/swagger';
import {
  healthOf,
  PROVIDERS,
  TOKEN_HEALTHS,
  TOKEN_STATUSES,
  type Provider,
  type TokenHealth,
  type TokenStatus,
} from '../token-values';
import type { UserToken } from '../user-token.entity';

/** A connection as the API shows it: never a token. */
export class TokenDto {
  @ApiProperty({ type: 'integer', description: 'The id.', example: 3 })
  id: number;

  @ApiProperty({ enum: PROVIDERS, description: 'The provider.', example: 'upwork' })
  provider: Provider;

  @ApiProperty({
    type: String,
    nullable: true,
    description: "The provider's id of the organization it acts for.",
    example: '1234567890',
  })
  organizationId: string | null;

  @ApiProperty({
    enum: TOKEN_STATUSES,
    description: 'The status: failing is tried again by itself, reconnect_needed needs its owner.',
    example: 'active',
  })
  status: TokenStatus;

  @ApiProperty({ enum: TOKEN_HEALTHS, description: 'What to think of it.', example: 'healthy' })
  health: TokenHealth;

  @ApiProperty({ type: [String], description: 'What the provider allows by it.', example: ['pub-messages:read'] })
  scopes: string[];

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When the access token expires; it is refreshed before.',
    example: '2026-01-31T09:30:00.000Z',
  })
  expiresAt: Date;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When it was last refreshed.',
    example: null,
  })
  lastRefreshedAt: Date | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'After a failure: when it is tried again.',
    example: null,
  })
  nextRefreshAt: Date | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'What went wrong at the last refresh; null when it succeeded.',
    example: null,
  })
  lastError: string | null;

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
  static from(this: void, token: UserToken): TokenDto {
    return {
      id: token.id,
      provider: token.provider,
      organizationId: token.organizationId,
      status: token.status,
      health: healthOf(token),
      scopes: token.scopes,
      expiresAt: token.expiresAt,
      lastRefreshedAt: token.lastRefreshedAt,
      nextRefreshAt: token.nextRefreshAt,
      lastError: token.lastError,
      version: token.version,
      createdAt: token.createdAt,
      updatedAt: token.updatedAt,
    };
  }
}

import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { UserToken } from './user-token.entity';
import { IsIn, IsString, Matches } from 'class-validator';
import { NullableTextField, TextLength } from '../platform/http/validation/text';
import { Instant, OptionalField } from '../platform/http/validation/fields';
import { HEADER_TOKEN } from '../platform/http/edge/header-values';

/** Providers a connection can be to. */
export const TOKEN_PROVIDERS = ['upwork'] as const;
/** One of PROVIDERS. */
export type TokenProvider = (typeof TOKEN_PROVIDERS)[number];

/** Where a connection stands; the CHECK of user_tokens.status lists the same. */
export const TOKEN_STATUSES = ['active', 'failing', 'reconnect_needed'] as const;
/** One of TOKEN_STATUSES. */
export type TokenStatus = (typeof TOKEN_STATUSES)[number];

/** What its owner should think of a connection. */
export const TOKEN_HEALTHS = ['healthy', 'retrying', 'expired', 'reconnect_needed'] as const;
/** One of TOKEN_HEALTHS. */
export type TokenHealth = (typeof TOKEN_HEALTHS)[number];

/** The health that status and expiry amount to. */
export function computeTokenHealth(
  { status, expiresAt }: { status: TokenStatus; expiresAt: Date },
  now = new Date(),
): TokenHealth {
  if (status === 'reconnect_needed') return 'reconnect_needed';
  if (expiresAt <= now) return 'expired';
  return status === 'failing' ? 'retrying' : 'healthy';
}

/** A connection as the API shows it: never a token. */
export class TokenDto {
  @ApiProperty({ type: 'integer', description: 'The id.', example: 3 })
  id: number;

  @ApiProperty({ enum: TOKEN_PROVIDERS, description: 'The provider.', example: 'upwork' })
  provider: TokenProvider;

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
      health: computeTokenHealth(token),
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

const MAX_TOKEN_LENGTH = 8_000;
const HEADER_TOKEN_MESSAGE = '$property must be printable ASCII without spaces';

/** Body of POST /v1/tokens: a pair obtained elsewhere. */
export class CreateTokenDto {
  @ApiProperty({ type: String, enum: TOKEN_PROVIDERS, description: 'The provider.', example: 'upwork' })
  @IsIn(TOKEN_PROVIDERS)
  provider: TokenProvider;

  @ApiProperty({
    type: String,
    maxLength: MAX_TOKEN_LENGTH,
    writeOnly: true,
    description: 'The access token; never shown again.',
    example: 'oauth2v2_3f8a',
  })
  @IsString()
  @TextLength(1, MAX_TOKEN_LENGTH)
  @Matches(HEADER_TOKEN, { message: HEADER_TOKEN_MESSAGE })
  accessToken: string;

  @ApiProperty({
    type: String,
    maxLength: MAX_TOKEN_LENGTH,
    writeOnly: true,
    description: 'The refresh token; never shown again.',
    example: 'oauth2v2_9c1d',
  })
  @IsString()
  @TextLength(1, MAX_TOKEN_LENGTH)
  @Matches(HEADER_TOKEN, { message: HEADER_TOKEN_MESSAGE })
  refreshToken: string;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When the access token expires.',
    example: '2099-01-31T09:30:00.000Z',
  })
  @Instant()
  expiresAt: Date;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    maxLength: 100,
    description: "The provider's id of the organization it acts for.",
    example: '1234567890',
  })
  @NullableTextField(100)
  @Matches(HEADER_TOKEN, { message: HEADER_TOKEN_MESSAGE })
  organizationId?: string | null;
}

/** An authorization that waits for its user. */
export class AuthorizationDto {
  @ApiProperty({
    type: String,
    description: 'Where the user allows the connection.',
    example: 'https://www.upwork.com/ab/account-security/oauth2/authorize?client_id=…',
  })
  url: string;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'Until when the callback is taken.',
    example: '2026-01-31T09:40:00.000Z',
  })
  expiresAt: Date;
}

/** What Upwork adds to the callback URL. */
export class CallbackDto {
  @ApiProperty({ type: String, maxLength: 200, description: 'The state of the authorization.', example: 'kq3G…' })
  @IsString()
  @TextLength(1, 200)
  state: string;

  @ApiPropertyOptional({
    type: String,
    maxLength: 2_000,
    description: 'The code, when the user allowed it.',
    example: 'a1b2c3',
  })
  @OptionalField()
  @IsString()
  @TextLength(1, 2_000)
  code?: string;

  @ApiPropertyOptional({ type: String, maxLength: 200, description: 'Why there is no code.', example: 'access_denied' })
  @OptionalField()
  @IsString()
  @TextLength(1, 200)
  error?: string;

  @ApiPropertyOptional({
    type: String,
    maxLength: 2_000,
    description: 'The same in words.',
    example: 'The user said no',
  })
  @OptionalField()
  @IsString()
  @TextLength(1, 2_000)
  error_description?: string;
}

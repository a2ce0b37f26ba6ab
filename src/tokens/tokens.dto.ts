import { ApiProperty } from '@nestjs/swagger';
import { CapabilitiesDto, OrganizationDto } from './connection-details.dto';
import type { UserToken } from './user-token.entity';
import { Matches } from 'class-validator';
import { HEADER_TOKEN } from '../platform/http/edge/header-values';
import { EnumField, InstantField, TextField } from '../platform/http/validation/fields';
import { Sensitive } from '../platform/logging/sensitive-fields';

/** Providers that a connection can use. */
export const TOKEN_PROVIDERS = ['upwork'] as const;
/** One of TOKEN_PROVIDERS. */
export type TokenProvider = (typeof TOKEN_PROVIDERS)[number];

/** Statuses of a connection; the CHECK of user_tokens.status lists the same. */
export const TOKEN_STATUSES = ['active', 'failing', 'reconnect_needed'] as const;
/** One of TOKEN_STATUSES. */
export type TokenStatus = (typeof TOKEN_STATUSES)[number];

/** Health of a connection, as shown to its owner. */
export const TOKEN_HEALTHS = ['healthy', 'retrying', 'expired', 'reconnect_needed'] as const;
/** One of TOKEN_HEALTHS. */
export type TokenHealth = (typeof TOKEN_HEALTHS)[number];

/** Computes the health from status and expiry. */
export function computeTokenHealth(
  { status, expiresAt }: { status: TokenStatus; expiresAt: Date },
  now = new Date(),
): TokenHealth {
  if (status === 'reconnect_needed') return 'reconnect_needed';
  if (expiresAt <= now) return 'expired';
  return status === 'failing' ? 'retrying' : 'healthy';
}

/** Connection in API responses; never contains a token. */
export class TokenDto {
  @ApiProperty({ type: 'integer', description: 'Id of the connection.', example: 3 })
  id: number;

  @ApiProperty({ enum: TOKEN_PROVIDERS, description: 'Provider of the connection.', example: 'upwork' })
  provider: TokenProvider;

  @ApiProperty({
    type: String,
    nullable: true,
    description: "The provider's id of the organization.",
    example: '1234567890',
  })
  organizationId: string | null;

  @ApiProperty({
    type: [OrganizationDto],
    nullable: true,
    description: 'Organizations of the user; PATCH chooses one. Null until they were read.',
    example: null,
  })
  organizations: OrganizationDto[] | null;

  @ApiProperty({
    enum: TOKEN_STATUSES,
    description: 'Status: `failing` is retried automatically; `reconnect_needed` requires a new authorization.',
    example: 'active',
  })
  status: TokenStatus;

  @ApiProperty({ enum: TOKEN_HEALTHS, description: 'Health, derived from status and expiry.', example: 'healthy' })
  health: TokenHealth;

  @ApiProperty({ type: [String], description: 'Scopes granted by the provider.', example: ['pub-messages:read'] })
  scopes: string[];

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When the access token expires (UTC); it is refreshed before.',
    example: '2026-01-31T09:30:00.000Z',
  })
  expiresAt: Date;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When the tokens were last refreshed (UTC).',
    example: null,
  })
  lastRefreshedAt: Date | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When the refresh is retried after a failure (UTC); null otherwise.',
    example: null,
  })
  nextRefreshAt: Date | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Error of the last refresh; null when it succeeded.',
    example: null,
  })
  lastError: string | null;

  @ApiProperty({ type: CapabilitiesDto, description: 'What the connection can do at Upwork.' })
  capabilities: CapabilitiesDto;

  @ApiProperty({ type: 'integer', description: 'Version number, used as the ETag.', example: 1 })
  version: number;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When the connection was created (UTC).',
    example: '2026-01-31T09:30:00.000Z',
  })
  createdAt: Date;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When the connection last changed (UTC).',
    example: '2026-01-31T09:30:00.000Z',
  })
  updatedAt: Date;

  /** Maps a row. */
  static from(this: void, token: UserToken): TokenDto {
    return {
      id: token.id,
      provider: token.provider,
      organizationId: token.organizationId,
      organizations: token.organizations,
      status: token.status,
      health: computeTokenHealth(token),
      scopes: token.scopes,
      expiresAt: token.expiresAt,
      lastRefreshedAt: token.lastRefreshedAt,
      nextRefreshAt: token.nextRefreshAt,
      lastError: token.lastError,
      capabilities: {
        checkedAt: token.capabilitiesCheckedAt,
        error: token.capabilitiesError,
        missing: token.missingParts,
      },
      version: token.version,
      createdAt: token.createdAt,
      updatedAt: token.updatedAt,
    };
  }
}

const MAX_TOKEN_LENGTH = 8_000;
const HEADER_TOKEN_MESSAGE = '$property must be printable ASCII without spaces';

/** Body of POST /v1/tokens: a token pair obtained elsewhere. */
export class CreateTokenDto {
  @EnumField(TOKEN_PROVIDERS, { description: 'Provider of the connection.', example: 'upwork' })
  provider: TokenProvider;

  @TextField({
    max: MAX_TOKEN_LENGTH,
    trim: false,
    writeOnly: true,
    description: 'Access token; never returned.',
    example: 'oauth2v2_3f8a',
  })
  @Matches(HEADER_TOKEN, { message: HEADER_TOKEN_MESSAGE })
  @Sensitive()
  accessToken: string;

  @TextField({
    max: MAX_TOKEN_LENGTH,
    trim: false,
    writeOnly: true,
    description: 'Refresh token; never returned.',
    example: 'oauth2v2_9c1d',
  })
  @Matches(HEADER_TOKEN, { message: HEADER_TOKEN_MESSAGE })
  @Sensitive()
  refreshToken: string;

  @InstantField({ description: 'When the access token expires (UTC).', example: '2099-01-31T09:30:00.000Z' })
  expiresAt: Date;

  @TextField({ max: 100, nullable: true, description: "The provider's id of the organization.", example: '1234567890' })
  @Matches(HEADER_TOKEN, { message: HEADER_TOKEN_MESSAGE })
  organizationId?: string | null;
}

/** Body of PATCH /v1/tokens/:id, a JSON merge patch. */
export class UpdateTokenDto {
  @TextField({
    max: 100,
    optional: true,
    description: 'The organization for which the connection works: a freelancer or an agency of `organizations`.',
    example: '1234567890',
  })
  organizationId?: string;
}

/** Authorization that waits for its user. */
export class AuthorizationDto {
  @ApiProperty({
    type: String,
    description: 'URL where the user grants access.',
    example: 'https://www.upwork.com/ab/account-security/oauth2/authorize?client_id=…',
  })
  url: string;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When the authorization expires (UTC).',
    example: '2026-01-31T09:40:00.000Z',
  })
  expiresAt: Date;
}

/** Parameters that Upwork adds to the callback URL. */
export class CallbackDto {
  @TextField({ max: 200, trim: false, description: 'State of the authorization.', example: 'kq3G…' })
  state: string;

  @TextField({
    max: 2_000,
    trim: false,
    optional: true,
    description: 'Authorization code; absent when access was denied.',
    example: 'a1b2c3',
  })
  @Sensitive()
  code?: string;

  @TextField({
    max: 200,
    trim: false,
    optional: true,
    description: 'OAuth error code; present when there is no code.',
    example: 'access_denied',
  })
  error?: string;

  @TextField({
    max: 2_000,
    trim: false,
    optional: true,
    description: 'Description of the error.',
    example: 'The user said no',
  })
  error_description?: string;
}

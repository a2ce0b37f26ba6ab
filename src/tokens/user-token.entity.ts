import type { OrganizationDto } from './connection-details.dto';
import { Column, Entity } from 'typeorm';
import { BaseEntity, InstantColumn } from '../platform/database/base.entity';
import type { MissingParts } from '../upwork/capabilities.service';
import type { TokenProvider, TokenStatus } from './tokens.dto';

/** Connection to a provider: the encrypted token pair of a user. */
@Entity('user_tokens')
export class UserToken extends BaseEntity {
  @Column('text', { default: 'upwork' })
  provider: TokenProvider;

  /** Organization at the provider; null while unknown. */
  @Column('text', { name: 'organization_id', nullable: true })
  organizationId: string | null;

  /** Organizations of the user at the provider; null until they were read. */
  @Column('jsonb', { nullable: true })
  organizations: OrganizationDto[] | null;

  @Column('uuid', { name: 'seal_key' })
  sealKey: string;

  @Column('text', { name: 'encrypted_access_token' })
  encryptedAccessToken: string;

  @Column('text', { name: 'encrypted_refresh_token' })
  encryptedRefreshToken: string;

  @InstantColumn('expires_at')
  expiresAt: Date;

  @Column('text', { array: true, default: '{}' })
  scopes: string[];

  @Column('text', { default: 'active' })
  status: TokenStatus;

  @InstantColumn('last_refreshed_at', { nullable: true })
  lastRefreshedAt: Date | null;

  @Column('text', { name: 'last_error', nullable: true })
  lastError: string | null;

  /** Owner of the refresh lease; the lease ends at `refreshUntil`. */
  @Column('text', { name: 'refresh_owner', nullable: true })
  refreshOwner: string | null;

  @InstantColumn('refresh_until', { nullable: true })
  refreshUntil: Date | null;

  @InstantColumn('next_refresh_at', { nullable: true })
  nextRefreshAt: Date | null;

  @Column('integer', { name: 'failed_refreshes', default: 0 })
  failedRefreshes: number;

  @InstantColumn('reconnect_reported_at', { nullable: true })
  reconnectReportedAt: Date | null;

  /** Id of the user at the provider; null until it was asked for. */
  @Column('text', { name: 'upwork_user_id', nullable: true })
  upworkUserId: string | null;

  /** What the API key cannot see of Upwork's schema; null until it was checked. */
  @Column('jsonb', { name: 'missing_parts', nullable: true })
  missingParts: MissingParts | null;

  @InstantColumn('capabilities_checked_at', { nullable: true })
  capabilitiesCheckedAt: Date | null;

  @Column('text', { name: 'capabilities_error', nullable: true })
  capabilitiesError: string | null;

  @InstantColumn('next_capability_check_at', { default: () => 'now()' })
  nextCapabilityCheckAt: Date;

  @InstantColumn('updated_at', { default: () => 'now()' })
  readonly updatedAt: Date;

  @Column('integer', { default: 1 })
  readonly version: number;
}

import type { OrganizationDto } from './connection-details.dto';
import { Injectable } from '@nestjs/common';
import { currentUserId } from '../platform/http/access/access';
import { Database } from '../platform/database/database';
import { AppError } from '../platform/errors/app-error';
import { assertVersion, type Preconditions } from '../platform/http/responses/preconditions';
import { KeysetPages } from '../platform/http/pagination/keyset-page';
import { type Page, type PageQueryDto } from '../platform/http/pagination/page.dto';
import { type CreateTokenDto, TokenDto, type UpdateTokenDto } from './tokens.dto';
import { TokenRefreshService } from './token-refresh.service';
import { LIST_ORGANIZATION_IDS, listTokens, storeConnection, type StoredToken } from './tokens.queries';
import { TokenEncryptionService } from './token-encryption.service';
import { UserToken } from './user-token.entity';

/** Manages the signed-in user's connections. Results never contain a token. */
@Injectable()
export class TokensService {
  constructor(
    private readonly database: Database,
    private readonly pages: KeysetPages,
    private readonly encryption: TokenEncryptionService,
    private readonly tokenRefresh: TokenRefreshService,
  ) {}

  /**
   * Stores a pair, encrypted, without calling the provider. A connection to the same provider and organization gets the
   * new pair. One audit row, secrets redacted.
   */
  async store(
    connection: CreateTokenDto & { scopes?: readonly string[]; organizations?: readonly OrganizationDto[] | null },
  ): Promise<{ token: TokenDto; isNew: boolean }> {
    const userId = currentUserId();
    const { provider, organizationId = null, organizations = null, expiresAt, scopes = [] } = connection;
    const encrypted = await this.encryption.encrypt(userId, connection);
    const statement = storeConnection({ ...encrypted, provider, organizationId, organizations, expiresAt, scopes });
    const [stored] = await this.database.query<StoredToken>(...statement);
    return { token: TokenDto.from(stored!), isNew: stored!.isNew };
  }

  /** Returns one page of the connections, oldest first. One statement. */
  async list(query: PageQueryDto): Promise<Page<TokenDto>> {
    const page = this.pages.open(query);
    const rows = await this.database.list<UserToken>(...listTokens(page.after, page.take));
    return page.of(rows, ({ id }) => [id], TokenDto.from);
  }

  /** Lists the organizations for which the user has a connection. One statement. */
  async listOrganizationIds(): Promise<string[]> {
    return (await this.database.query<{ id: string }>(LIST_ORGANIZATION_IDS)).map(({ id }) => id);
  }

  /** Returns one connection. @throws AppError `token.not_found` */
  async get(id: number): Promise<TokenDto> {
    const token = await this.database.find(UserToken, id);
    if (!token) throw new AppError('token.not_found');
    return TokenDto.from(token);
  }

  /**
   * Chooses the organization of a connection; a trigger then restarts its synchronisations. One unit of work; at most
   * one audit row.
   * @throws AppError `token.not_found`, `precondition.failed`, `token.already_exists`; `validation.failed` for an
   *   organization that has no proposals, or to which the user does not belong
   */
  async update(id: number, { organizationId }: UpdateTokenDto, ifMatch?: Preconditions): Promise<TokenDto> {
    const changed = await this.database.change(UserToken, id, 'token.not_found', (token) => {
      assertVersion(token, ifMatch);
      if (organizationId === undefined || organizationId === token.organizationId) return {};
      assertVendor(token, organizationId);
      return { organizationId, upworkUserId: null, nextCapabilityCheckAt: new Date() };
    });
    return TokenDto.from(changed);
  }

  /**
   * Refreshes a connection; one refreshed within the last 10 s does not change.
   * @throws AppError `token.not_found`, `precondition.failed`, and as TokenRefreshService.refresh
   */
  async refresh(id: number, ifMatch?: Preconditions): Promise<TokenDto> {
    if (ifMatch !== undefined) assertVersion(await this.get(id), ifMatch);
    return TokenDto.from(await this.tokenRefresh.refresh(id));
  }

  /**
   * Deletes a connection and its tokens. One unit of work; one audit row.
   * @throws AppError `token.not_found`, `precondition.failed`
   */
  remove(id: number, ifMatch?: Preconditions): Promise<void> {
    return this.database.remove(UserToken, id, 'token.not_found', (token) => assertVersion(token, ifMatch));
  }
}

function assertVendor({ organizations }: UserToken, organizationId: string): void {
  if (organizations?.some(({ id, type }) => id === organizationId && type !== 'client')) return;
  const message = 'organizationId must be a freelancer or an agency in organizations of this connection';
  throw new AppError('validation.failed', {
    detail: `${message}.`,
    errors: [{ pointer: '/organizationId', code: 'unknown', message }],
  });
}

import { Injectable } from '@nestjs/common';
import { currentUserId } from '../platform/http/access/access';
import { Database } from '../platform/database/database';
import { AppError } from '../platform/errors/app-error';
import { assertVersion, type Preconditions } from '../platform/http/responses/preconditions';
import { KeysetPages } from '../platform/http/pagination/keyset-page';
import { type Page, type PageQueryDto } from '../platform/http/pagination/page.dto';
import { type CreateTokenDto, TokenDto } from './tokens.dto';
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
    connection: CreateTokenDto & { scopes?: readonly string[] },
  ): Promise<{ token: TokenDto; isNew: boolean }> {
    const userId = currentUserId();
    const { provider, organizationId = null, expiresAt, scopes = [] } = connection;
    const encrypted = await this.encryption.encrypt(userId, connection);
    const statement = storeConnection({ ...encrypted, provider, organizationId, expiresAt, scopes });
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

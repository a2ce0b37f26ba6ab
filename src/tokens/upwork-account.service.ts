import type { OrganizationDto } from './connection-details.dto';
import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database';
import { truncateToCodePoints } from '../platform/http/validation/fields';
import { COMPANY_SELECTOR, CURRENT_USER } from '../upwork/documents/account.documents';
import { type UpworkCaller, UpworkClientService } from '../upwork/upwork-client.service';
import { READ_UPWORK_USER_ID, STORE_UPWORK_USER_ID } from './tokens.queries';

const MAX_ORGANIZATIONS = 100;

/** Reads who the user of a connection is at Upwork, and to which organizations they belong. */
@Injectable()
export class UpworkAccountService {
  constructor(
    private readonly database: Database,
    private readonly upwork: UpworkClientService,
  ) {}

  /**
   * Returns the id of the user. Asks Upwork once per connection and stores the answer; a new pair of tokens is asked
   * again. Session: user; Upwork is called outside any unit of work.
   * @throws UpworkError
   */
  async findUserId(tokenId: number, caller: UpworkCaller): Promise<string> {
    const [known] = await this.database.query<{ id: string | null }>(READ_UPWORK_USER_ID, [tokenId]);
    if (known?.id) return known.id;
    const { data } = await this.upwork.call(CURRENT_USER, {}, caller);
    await this.database.query(STORE_UPWORK_USER_ID, [tokenId, data.user.id]);
    return data.user.id;
  }

  /** Lists the organizations of the user, in Upwork's order, which means nothing. One call. @throws UpworkError */
  async listOrganizations(caller: UpworkCaller): Promise<OrganizationDto[]> {
    const { data } = await this.upwork.call(COMPANY_SELECTOR, {}, caller);
    return data.companySelector.items.slice(0, MAX_ORGANIZATIONS).map((company) => ({
      id: company.organizationId,
      title: truncateToCodePoints(company.title ?? '', 200),
      type: readType(company),
    }));
  }
}

interface CompanyTypes {
  readonly organizationType?: string | null;
  readonly organizationLegacyType?: string | null;
}

function readType({ organizationType, organizationLegacyType }: CompanyTypes): OrganizationDto['type'] {
  if (organizationLegacyType === 'Client') return 'client';
  return organizationType === 'SoleProprietor' ? 'freelancer' : 'agency';
}

import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database';
import { CURRENT_USER } from '../upwork/documents/account.documents';
import { type UpworkCaller, UpworkClientService } from '../upwork/upwork-client.service';
import { READ_UPWORK_USER_ID, STORE_UPWORK_USER_ID } from './tokens.queries';

/** Returns the id that the user of a connection has at Upwork. */
@Injectable()
export class UpworkUserIdService {
  constructor(
    private readonly database: Database,
    private readonly upwork: UpworkClientService,
  ) {}

  /**
   * Asks Upwork once per connection and stores the answer; a new pair of tokens is asked again. Session: user; Upwork
   * is called outside any unit of work.
   * @throws UpworkError
   */
  async find(tokenId: number, caller: UpworkCaller): Promise<string> {
    const [known] = await this.database.query<{ id: string | null }>(READ_UPWORK_USER_ID, [tokenId]);
    if (known?.id) return known.id;
    const { data } = await this.upwork.call(CURRENT_USER, {}, caller);
    await this.database.query(STORE_UPWORK_USER_ID, [tokenId, data.user.id]);
    return data.user.id;
  }
}

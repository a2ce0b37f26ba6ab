import { Injectable } from '@nestjs/common';
import { Config } from '../platform/config/config';
import { Mailer } from '../platform/mail/mailer.service';
import { erasureMail, noticeMail, type ErasureFacts, type Notice } from './account-mails';
import { Accounts } from './accounts.service';

/** Tells owners by mail what happened to their accounts. */
@Injectable()
export class Notices {
  constructor(
    private readonly accounts: Accounts,
    private readonly mailer: Mailer,
    private readonly config: Config,
  ) {}

  /** Sends a notice to the owner, unless the account is gone. Never inside a unit of work. */
  async send(userId: number, notice: Notice): Promise<void> {
    const account = await this.accounts.findAccount(userId);
    if (account) await this.mailer.send(noticeMail(this.config.http, account.email, notice));
  }

  /** Tells somebody whose account is gone that it is. Never inside a unit of work. */
  async erased(email: string, facts: ErasureFacts): Promise<void> {
    await this.mailer.send(erasureMail(email, facts));
  }
}

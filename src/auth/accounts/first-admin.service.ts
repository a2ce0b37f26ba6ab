import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../../platform/config/config';
import { normalEmail } from '../../platform/mail/email';
import { AccountsService } from './accounts.service';
import { PasswordsService } from '../passwords/passwords.service';
import { SecurityEventsService } from '../security-events/security-events.service';

/** Creates the first admin from GIGVAULT_ADMIN_EMAIL and GIGVAULT_ADMIN_PASSWORD when the server starts. */
@Injectable()
export class FirstAdminService implements OnApplicationBootstrap {
  private readonly logger = new Logger(FirstAdminService.name);

  constructor(
    private readonly accounts: AccountsService,
    private readonly passwords: PasswordsService,
    private readonly events: SecurityEventsService,
    private readonly config: Config,
  ) {}

  /** Also prepares the passwords service, so that no request waits for it. */
  async onApplicationBootstrap(): Promise<void> {
    await this.passwords.prepare();
    const { firstAdmin } = this.config.auth;
    if (!firstAdmin) return;
    const email = normalEmail(firstAdmin.email);
    const account = await this.accounts.findCredentials(email);
    // A usual start computes no hash.
    if (account?.role === 'admin' && account.isVerified) return;
    const outcome = await this.accounts.ensureAdmin(email, await this.passwords.hash(firstAdmin.password));
    if (outcome === 'unchanged') {
      this.logger.warn(
        'GIGVAULT_ADMIN_EMAIL names the account of a user, and another admin exists: nothing was changed',
      );
      return;
    }
    await this.events.record('auth.first_admin', { success: true, email, reason: outcome });
  }
}

import { Injectable, Logger } from '@nestjs/common';
import { Config } from '../config/config';
import { currentUnitOfWork } from '../database/current-unit-of-work';
import { TaskRequestService } from '../scheduler/task-request.service';
import { type Email, type OutgoingEmail, SEND_MAILS_ID } from './email';
import { EmailOutboxService } from './email-outbox.service';
import { SmtpTransport } from './smtp-transport';

/**
 * Sends email through an encrypted outbox: an email is stored first and then sent by the task send-mails. Without
 * SMTP_URL it stays in the local outbox. Must not be called inside a unit of work.
 */
@Injectable()
export class MailerService {
  private readonly logger = new Logger(MailerService.name);

  constructor(
    private readonly outbox: EmailOutboxService,
    private readonly smtp: SmtpTransport,
    private readonly tasks: TaskRequestService,
    private readonly config: Config,
  ) {}

  /**
   * Stores an email and requests its sending; without the queue it is sent within a minute. It is tried for a day, or
   * while its link is valid; then the security event `mail.failed` is logged.
   * @param options.isDecoy does the same work but stores nothing, so that timing does not reveal who has an account
   */
  async send(mail: OutgoingEmail, { isDecoy = false }: { isDecoy?: boolean } = {}): Promise<void> {
    assertOutsideTransaction();
    await this.outbox.enqueue(mail, { isDecoy, isLocal: this.isLocal });
    if (!this.isLocal) await this.requestDelivery();
  }

  /**
   * Sends an email once and waits. The caller retries. The id becomes the Message-ID, so that receivers recognize a
   * repeated email.
   * @returns null when it was sent, otherwise the code of the failure
   */
  async deliverOnce(mail: Email, id: string): Promise<string | null> {
    assertOutsideTransaction();
    if (this.isLocal) {
      await this.outbox.enqueue(mail, { isDecoy: false, isLocal: true });
      return null;
    }
    return (await this.smtp.send(mail, id))?.code ?? null;
  }

  private get isLocal(): boolean {
    return this.config.mail.smtpUrl === undefined;
  }

  private async requestDelivery(): Promise<void> {
    await this.tasks
      .request(SEND_MAILS_ID)
      .catch((error: Error) => this.logger.warn(`emails are sent up to a minute later: ${error.message}`));
  }
}

function assertOutsideTransaction(): void {
  if (currentUnitOfWork()) throw new Error('email must be sent after the unit of work, not inside it');
}

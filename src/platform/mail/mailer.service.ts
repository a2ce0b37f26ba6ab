import { Injectable, Logger } from '@nestjs/common';
import { Config } from '../config/config';
import { currentUnit } from '../database/current-unit';
import { TaskRequests } from '../scheduler/task-requests';
import type { Mail, OutgoingMail } from './mail';
import { Outbox } from './outbox.service';
import { SEND_MAILS_ID } from './send-mails-id';
import { SmtpTransport } from './smtp-transport';

/**
 * Sends email from a sealed outbox: stored first, then sent by the task send-mails. Without SMTP_URL it stays in the local
 * outbox. Never to be called inside a unit of work.
 */
@Injectable()
export class Mailer {
  private readonly logger = new Logger(Mailer.name);

  constructor(
    private readonly outbox: Outbox,
    private readonly smtp: SmtpTransport,
    private readonly tasks: TaskRequests,
    private readonly config: Config,
  ) {}

  /**
   * Stores an email and has a worker send it at once; without the queue it is sent within a minute. It is tried for a day,
   * or for as long as its link is valid; then the security event `mail.failed` is left.
   * @param options.isDecoy does the same work and keeps nothing: an address without an account must not be told by time
   */
  async send(mail: OutgoingMail, { isDecoy = false }: { isDecoy?: boolean } = {}): Promise<void> {
    assertOutsideOfUnit();
    await this.outbox.put(mail, { isDecoy, isLocal: this.isLocal });
    if (!this.isLocal) await this.wake();
  }

  /**
   * Sends an email whose caller keeps it until it has gone: one attempt, awaited. Its id becomes the Message-ID, so that a
   * repetition is known as one.
   * @returns null when it has gone, otherwise the code of the failure
   */
  async deliverOnce(mail: Mail, id: string): Promise<string | null> {
    assertOutsideOfUnit();
    if (this.isLocal) {
      await this.outbox.put(mail, { isDecoy: false, isLocal: true });
      return null;
    }
    return (await this.smtp.send(mail, id))?.code ?? null;
  }

  private get isLocal(): boolean {
    return this.config.mail.smtpUrl === undefined;
  }

  private async wake(): Promise<void> {
    await this.tasks
      .ask(SEND_MAILS_ID)
      .catch((error: Error) => this.logger.warn(`emails wait for the next minute: ${error.message}`));
  }
}

function assertOutsideOfUnit(): void {
  if (currentUnit()) throw new Error('mail is sent after the unit of work, not in it');
}

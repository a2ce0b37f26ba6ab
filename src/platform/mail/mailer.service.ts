import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { createTransport, type Transporter } from 'nodemailer';
import { Config } from '../config/config';
import { currentContext } from '../context/request-context';
import { SystemDatabase } from '../database/system-database';
import type { Mail } from './mail';
import { Outbox } from './outbox.service';

/** Pauses before the second and the third try, in milliseconds. */
const RETRY_AFTER_MS = [2_000, 15_000];

/**
 * Sends mail: by SMTP_URL, else into the local outbox. Never to be called inside a unit of work.
 */
@Injectable()
export class Mailer implements OnApplicationShutdown {
  private readonly logger = new Logger(Mailer.name);
  private readonly transport: Transporter | undefined;
  private readonly underWay = new Set<Promise<void>>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly outbox: Outbox,
    private readonly database: SystemDatabase,
    private readonly config: Config,
  ) {
    const { smtpUrl } = config.mail;
    this.transport = smtpUrl === undefined ? undefined : createTransport(smtpUrl);
  }

  /**
   * Sends a letter. Into the outbox it has gone when the promise resolves; by SMTP it goes afterwards, tried three times,
   * and a failure leaves the security event `mail.failed`: the answer of a request tells nothing of a mail server.
   * @param options.isDecoy sends nothing and takes as long: an address without an account must not be told by time
   */
  async send(mail: Mail, { isDecoy = false }: { isDecoy?: boolean } = {}): Promise<void> {
    if (currentContext()?.unit) throw new Error('mail is sent after the unit of work, not in it');
    if (!this.transport) return this.outbox.put(mail, isDecoy);
    if (isDecoy) return;
    const delivery = this.deliver(this.transport, mail).finally(() => this.underWay.delete(delivery));
    this.underWay.add(delivery);
  }

  /**
   * Sends a letter that whoever asks keeps until it has gone: one attempt, awaited. Its id becomes the Message-ID, so that
   * a repetition is known as one.
   * @returns null when it has gone, otherwise the code of the mail server's refusal
   */
  async deliverOnce(mail: Mail, id: string): Promise<string | null> {
    if (currentContext()?.unit) throw new Error('mail is sent after the unit of work, not in it');
    if (!this.transport) {
      await this.outbox.put(mail, false);
      return null;
    }
    try {
      await this.transport.sendMail({ from: this.config.mail.from, messageId: `<${id}@gigvault>`, ...mail });
      return null;
    } catch (error) {
      // The server's words may quote the address.
      return (error as { code?: string }).code ?? 'unknown';
    }
  }

  /** Waits for the letters under way; tries no more. */
  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.underWay);
    this.transport?.close();
  }

  private async deliver(transport: Transporter, mail: Mail): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        await transport.sendMail({ from: this.config.mail.from, ...mail });
        return;
      } catch (error) {
        // The server's words may quote the address.
        const { code = 'unknown' } = error as { code?: string };
        const pauseMs = RETRY_AFTER_MS[attempt];
        if (pauseMs === undefined || !(await this.pause(pauseMs))) return this.giveUp(code);
      }
    }
  }

  /** Whether the pause went by without the application ending. */
  private pause(milliseconds: number): Promise<boolean> {
    const { signal } = this.stopping;
    if (signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds, true);
      signal.addEventListener('abort', () => (clearTimeout(timer), resolve(false)), { once: true });
    });
  }

  private async giveUp(code: string): Promise<void> {
    this.logger.error(`a letter could not be sent: ${code}`);
    await this.database
      .asAuth((unit) => unit.query(`SELECT auth.log_event('mail.failed', NULL, false, NULL, NULL, $1)`, [JSON.stringify({ code })]))
      .catch((error: Error) => this.logger.error(`the failure was not recorded: ${error.message}`));
  }
}

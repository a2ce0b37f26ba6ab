import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { createTransport, type Transporter } from 'nodemailer';
import { Config } from '../config/config';
import type { Email } from './email';

/** Longest time to look up a name, to connect, to be greeted, and to be answered. */
const STEP_TIMEOUT_MS = 10_000;

/** Longest time for one email: a server that sends a byte now and then ends no step. */
const SEND_TIMEOUT_MS = 60_000;

/** Replies that concern our login or the connection, not the email: the operator can mend them. @see RFC 4954 section 6 */
const CONFIGURATION_ERRORS = new Set([530, 534, 535, 538]);

/** Why an attempt failed. */
export interface SendFailure {
  /** A code, never the words of the server, which may quote the address. */
  readonly code: string;
  /** True when another attempt would be refused alike. */
  readonly isFinal: boolean;
}

/** The mail server of SMTP_URL. */
@Injectable()
export class SmtpTransport implements OnApplicationShutdown {
  private readonly logger = new Logger(SmtpTransport.name);
  private readonly transport: Transporter | undefined;

  constructor(private readonly config: Config) {
    const { smtpUrl } = config.mail;
    if (smtpUrl === undefined) return;
    this.transport = createTransport({
      url: smtpUrl,
      dnsTimeout: STEP_TIMEOUT_MS,
      connectionTimeout: STEP_TIMEOUT_MS,
      greetingTimeout: STEP_TIMEOUT_MS,
      socketTimeout: STEP_TIMEOUT_MS,
    });
    // Without a listener an error between two emails would end the process.
    this.transport.on('error', (error) => this.logger.warn(`mail server: ${codeOf(error)}`));
  }

  /** Makes one attempt, bounded in time. Never throws. @returns undefined when the server has accepted the email */
  async send({ to, subject, text }: Email, id: string): Promise<SendFailure | undefined> {
    if (!this.transport) return { code: 'no mail server', isFinal: false };
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(Object.assign(new Error('too slow'), { code: 'ETIMEDOUT' })), SEND_TIMEOUT_MS);
    });
    const message = { from: this.config.mail.from, messageId: `<${id}@gigvault>`, to, subject, text };
    try {
      await Promise.race([this.transport.sendMail(message), timeout]);
      return undefined;
    } catch (error) {
      return failureOf(error);
    } finally {
      clearTimeout(timer);
    }
  }

  onApplicationShutdown(): void {
    this.transport?.close();
  }
}

/** A 4xx may pass, a 5xx to the envelope or the message may not. @see RFC 5321 section 4.2.1 */
function failureOf(error: unknown): SendFailure {
  const { responseCode } = error as { responseCode?: number };
  const code = codeOf(error);
  const isAboutEmail = code === 'EENVELOPE' || code === 'EMESSAGE';
  const isRefused =
    responseCode === undefined ? code === 'EENVELOPE' : responseCode >= 500 && !CONFIGURATION_ERRORS.has(responseCode);
  return { code: responseCode === undefined ? code : `${code} ${responseCode}`, isFinal: isAboutEmail && isRefused };
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? 'unknown';
}

import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { createTransport, type Transporter } from 'nodemailer';
import { Config } from '../config/config';
import type { Email } from './email';

/** Longest time of each step: DNS look-up, connection, greeting and reply. */
const STEP_TIMEOUT_MS = 10_000;

/** Longest time for one email: a server that sends single bytes exceeds no step's limit. */
const SEND_TIMEOUT_MS = 60_000;

/** Replies about the login or the connection, which the operator can fix. @see RFC 4954 section 6 */
const CONFIGURATION_ERRORS = new Set([530, 534, 535, 538]);

/** The failure of an attempt. */
export interface SendFailure {
  /** A code, never the server's message, which may quote the address. */
  readonly code: string;
  /** True when another attempt would be rejected too. */
  readonly isFinal: boolean;
}

/** The connection to the mail server of SMTP_URL. */
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
    this.transport.on('error', (error) => this.logger.warn(`mail server: ${getCode(error)}`));
  }

  /** Makes one attempt of at most 60 s. Never throws. @returns undefined when the server has accepted the email */
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
      return toFailure(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Connects and signs in without sending an email. @returns the code of the failure, or undefined */
  async verify(): Promise<string | undefined> {
    try {
      await this.transport?.verify();
      return undefined;
    } catch (error) {
      return toFailure(error).code;
    }
  }

  onApplicationShutdown(): void {
    this.transport?.close();
  }
}

/** Classifies an error: 4xx may be retried, 5xx to the envelope or the message is final. @see RFC 5321 section 4.2.1 */
function toFailure(error: unknown): SendFailure {
  const { responseCode } = error as { responseCode?: number };
  const code = getCode(error);
  const isAboutEmail = code === 'EENVELOPE' || code === 'EMESSAGE';
  const isRefused =
    responseCode === undefined ? code === 'EENVELOPE' : responseCode >= 500 && !CONFIGURATION_ERRORS.has(responseCode);
  return { code: responseCode === undefined ? code : `${code} ${responseCode}`, isFinal: isAboutEmail && isRefused };
}

function getCode(error: unknown): string {
  return (error as { code?: string }).code ?? 'unknown';
}

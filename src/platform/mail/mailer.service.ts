import { Injectable, Logger } from '@nestjs/common';
import { Config } from '../config/config';
import { currentUnitOfWork } from '../database/current-unit-of-work';
import { TaskRequestService } from '../scheduler/task-request.service';
import { type Email, type OutgoingEmail, SEND_MAILS_ID, canonicalEmail, emailHash } from './email';
import { SmtpTransport, type SendFailure } from './smtp-transport';
import { randomUUID } from 'node:crypto';
import { type AdminReader, SystemDatabase } from '../database/system-database';
import { AppError } from '../errors/app-error';
import { EncryptionService } from '../encryption/encryption.service';
import type { EncryptionContext } from '../encryption/ciphertext';

/** An email in the local outbox. */
export interface OutboxEmail extends Email {
  readonly id: number;
  readonly createdAt: Date;
}

interface OutboxRow {
  readonly id: number;
  readonly created_at: Date;
  readonly seal_key: string;
  readonly sealed_email: string;
}

/** An email leased by this process. */
interface ClaimedRow {
  readonly id: number;
  readonly seal_key: string;
  readonly sealed_email: string;
  readonly attempts: number;
}

/** The status of an email after an attempt; null when another worker has taken it over. */
export type SendStatus = 'sent' | 'pending' | 'failed' | null;

/** Most emails in the list of the local outbox. */
const MAX_LISTED = 100;

/** Time during which an email without a link is tried. */
const LIFETIME_SECONDS = 24 * 60 * 60;

/** Lease of an email; longer than an attempt may take. */
const LEASE_SECONDS = 120;

/** Emails to one domain at once, over all workers: a slow server must not delay other domains. */
const PER_DOMAIN = 2;

/** Pauses after failed attempts, in seconds, each reduced by up to 10 % at random. The last one repeats. */
const RETRY_DELAYS_SECONDS = [15, 60, 300, 900, 1_800, 3_600, 7_200, 14_400];

/**
 * The table email_outbox, from which every email is sent. The whole email with its address is encrypted; a keyed hash
 * of the address allows look-ups. The content is deleted after sending or giving up. Without a mail server, emails stay
 * for 24 hours for admins to read (app.purge_mail_outbox).
 */
@Injectable()
export class EmailOutboxService {
  private readonly logger = new Logger(EmailOutboxService.name);
  private readonly addressKey: Buffer;
  private readonly readAsAdmin: AdminReader = (work) => this.database.asAdmin('reads the email outbox', work);

  constructor(
    private readonly database: SystemDatabase,
    private readonly encryption: EncryptionService,
    config: Config,
  ) {
    this.addressKey = config.secrets.derive('email-hash');
  }

  /**
   * Stores an email.
   * @param options.isDecoy does the same work but stores nothing, so that timing does not reveal who has an account
   * @param options.isLocal stores it for admins to read instead of sending it
   */
  async enqueue(
    { to, subject, text, validForSeconds }: OutgoingEmail,
    options: { isDecoy: boolean; isLocal: boolean },
  ): Promise<void> {
    const sealKey = randomUUID();
    const email: Email = { to, subject, text };
    const sealed = await this.encryption.seal(JSON.stringify(email), encryptionContext(sealKey));
    const lifetime = options.isLocal ? null : (validForSeconds ?? LIFETIME_SECONDS);
    const domain = canonicalEmail(to).replace(/^.*@/s, '');
    const values = [this.hashOf(to), this.hashOf(domain), sealKey, sealed, options.isDecoy, lifetime];
    await this.database.asAuth((unit) => unit.query(`SELECT auth.enqueue_email($1, $2, $3, $4, $5, $6)`, values));
  }

  /**
   * Leases the email that has been due longest, sends it, and records the result. The mail server is called between
   * units. If a worker dies between the server's acceptance and the record, the email is sent twice with the same
   * Message-ID.
   * @param send makes one attempt, with this id
   * @returns the new status; undefined when no email is due
   */
  async sendNext(
    send: (email: Email, id: string) => Promise<SendFailure | undefined>,
  ): Promise<SendStatus | undefined> {
    const owner = randomUUID();
    const [row] = await this.database.asScheduler((unit) =>
      unit.query<ClaimedRow>(`SELECT * FROM app.claim_email($1, $2, $3)`, [owner, LEASE_SECONDS, PER_DOMAIN]),
    );
    if (!row) return undefined;
    const failure = await this.attempt(row, send);
    const pause = failure?.isFinal
      ? null
      : RETRY_DELAYS_SECONDS[Math.min(row.attempts, RETRY_DELAYS_SECONDS.length) - 1]! * (1 - Math.random() / 10);
    const [end] = await this.database.asScheduler((unit) =>
      unit.query<{ status: SendStatus }>(`SELECT app.finish_email($1, $2, $3, $4) AS status`, [
        row.id,
        owner,
        failure?.code ?? null,
        pause,
      ]),
    );
    if (failure)
      this.logger.warn(
        `email ${row.id}: attempt ${row.attempts} failed (${failure.code}); status ${end?.status ?? 'taken over'}`,
      );
    return end?.status ?? null;
  }

  private async attempt(
    { id, seal_key: sealKey, sealed_email: sealed }: ClaimedRow,
    send: (email: Email, id: string) => Promise<SendFailure | undefined>,
  ): Promise<SendFailure | undefined> {
    let email: Email;
    try {
      email = JSON.parse(await this.encryption.open(sealed, encryptionContext(sealKey))) as Email;
    } catch (error) {
      // A missing key may be available later.
      this.logger.error(`email ${id} cannot be decrypted: ${(error as Error).message}`);
      return { code: 'unreadable', isFinal: false };
    }
    return send(email, sealKey);
  }

  /**
   * Returns the latest 100 local emails, to one address or all.
   * @param read the reader of an open stream; by default a read as gigvault_admin, which is a security event
   */
  async list(to?: string, read: AdminReader = this.readAsAdmin): Promise<OutboxEmail[]> {
    const rows = await read((unit) =>
      unit.query<OutboxRow>(
        `SELECT id, created_at, seal_key, sealed_email FROM email_outbox
          WHERE status = 'local' AND ($1::bytea IS NULL OR recipient_hash = $1) ORDER BY id DESC LIMIT $2`,
        [to === undefined ? null : this.hashOf(to), MAX_LISTED],
      ),
    );
    return Promise.all(rows.map((row) => this.open(row)));
  }

  /**
   * Returns a local email. Side effects: the security event `system.admin`.
   * @throws AppError `resource.not_found`
   */
  async find(id: number): Promise<OutboxEmail> {
    const [row] = await this.readAsAdmin((unit) =>
      unit.query<OutboxRow>(
        `SELECT id, created_at, seal_key, sealed_email FROM email_outbox WHERE status = 'local' AND id = $1`,
        [id],
      ),
    );
    if (!row) throw new AppError('resource.not_found');
    return this.open(row);
  }

  private async open({
    id,
    created_at: createdAt,
    seal_key: sealKey,
    sealed_email: sealed,
  }: OutboxRow): Promise<OutboxEmail> {
    const email = JSON.parse(await this.encryption.open(sealed, encryptionContext(sealKey))) as Email;
    return { id, ...email, createdAt };
  }

  private hashOf(address: string): Buffer {
    return emailHash(this.addressKey, address);
  }
}

function encryptionContext(sealKey: string): EncryptionContext {
  return { table: 'email_outbox', column: 'sealed_email', userId: null, sealKey };
}

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

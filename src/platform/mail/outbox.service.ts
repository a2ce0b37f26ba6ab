import { createHmac, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Config } from '../config/config';
import { SystemDatabase } from '../database/system-database';
import { EncryptionService } from '../encryption/encryption.service';
import type { SealContext } from '../encryption/seal-context';
import type { Mail } from './mail';

/** A letter in the outbox. */
export interface OutboxMail extends Mail {
  readonly id: number;
  readonly createdAt: Date;
}

interface OutboxRow {
  readonly id: number;
  readonly created_at: Date;
  readonly seal_key: string;
  readonly sealed_mail: string;
}

/** More than a developer reads. */
const MAX_LISTED = 100;

/**
 * Where mail goes when there is no mail server: table mail_outbox. The whole letter, its address too, is sealed; a keyed
 * hash of the address finds it again. Letters live 24 hours (app.purge_mail_outbox).
 */
@Injectable()
export class Outbox {
  private readonly addressKey: Buffer;

  constructor(
    private readonly database: SystemDatabase,
    private readonly encryption: EncryptionService,
    config: Config,
  ) {
    this.addressKey = config.secrets.derive('email-hash');
  }

  /**
   * Stores a letter.
   * @param isDecoy the same work is done but nothing is kept, so that timing does not tell who has an account
   */
  async put(mail: Mail, isDecoy: boolean): Promise<void> {
    const sealKey = randomUUID();
    const sealed = await this.encryption.seal(JSON.stringify(mail), placeOf(sealKey));
    await this.database.asAuth((unit) =>
      unit.query(`SELECT auth.put_mail($1, $2, $3, $4)`, [this.hashOf(mail.to), sealKey, sealed, isDecoy]),
    );
  }

  /** The letters to an address, or all, newest first, at most 100. Session: an admin's; leaves a security event. */
  async list(to?: string): Promise<OutboxMail[]> {
    const rows = await this.database.asAdmin('reads the mail outbox', (unit) =>
      unit.query<OutboxRow>(
        `SELECT id, created_at, seal_key, sealed_mail FROM mail_outbox
          WHERE $1::bytea IS NULL OR recipient_hash = $1 ORDER BY id DESC LIMIT $2`,
        [to === undefined ? null : this.hashOf(to), MAX_LISTED],
      ),
    );
    return Promise.all(rows.map((row) => this.open(row)));
  }

  private async open({ id, created_at: createdAt, seal_key: sealKey, sealed_mail: sealed }: OutboxRow): Promise<OutboxMail> {
    const mail = JSON.parse(await this.encryption.open(sealed, placeOf(sealKey))) as Mail;
    return { id, ...mail, createdAt };
  }

  private hashOf(address: string): Buffer {
    return createHmac('sha256', this.addressKey).update(address.normalize('NFC').toLowerCase()).digest();
  }
}

function placeOf(sealKey: string): SealContext {
  return { table: 'mail_outbox', column: 'sealed_mail', userId: null, sealKey };
}

import { Column, Entity } from 'typeorm';
import { BaseEntity, InstantColumn } from '../../platform/database/base.entity';

/** A user's second factor. Only the statements of mfa.queries.ts write it: they accept each code once. */
@Entity('user_mfa')
export class UserMfa extends BaseEntity {
  @Column({ type: 'text', name: 'encrypted_totp_secret', nullable: true })
  readonly encryptedTotpSecret: string | null;

  @Column('boolean', { name: 'totp_enabled', default: false })
  readonly totpEnabled: boolean;

  /** Keyed hashes of the unused codes. */
  @Column('text', { name: 'backup_codes_hash', array: true, default: () => `'{}'` })
  readonly backupCodesHash: string[];

  @Column('integer', { name: 'backup_codes_used', default: 0 })
  readonly backupCodesUsed: number;

  /** Time step of the last accepted code. */
  @Column('bigint', { name: 'last_totp_step', nullable: true })
  readonly lastTotpStep: number | null;

  @Column('integer', { default: 1 })
  readonly version: number;

  @InstantColumn('updated_at', { default: () => 'now()' })
  readonly updatedAt: Date;
}

import { Column, Entity } from 'typeorm';
import { BaseEntity, InstantColumn } from '../platform/database/base.entity';

/** URL of a user that receives signed messages; its secret is encrypted. */
@Entity('webhooks')
export class Webhook extends BaseEntity {
  @Column('text')
  url: string;

  @Column('boolean', { name: 'is_active', default: true })
  isActive: boolean;

  @Column('uuid', { name: 'seal_key' })
  sealKey: string;

  @Column('text', { name: 'encrypted_secret' })
  encryptedSecret: string;

  /** Also signs until `previousSecretUntil`. */
  @Column('text', { name: 'encrypted_previous_secret', nullable: true })
  encryptedPreviousSecret: string | null;

  @InstantColumn('previous_secret_until', { nullable: true })
  previousSecretUntil: Date | null;

  @InstantColumn('updated_at', { default: () => 'now()' })
  readonly updatedAt: Date;

  @Column('integer', { default: 1 })
  readonly version: number;
}

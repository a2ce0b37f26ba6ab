import { Column, Entity } from 'typeorm';
import { BaseEntity, InstantColumn } from '../platform/database/base.entity';

/** An address of a user's own that is told what happens; its secret is sealed. */
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

  /** Signs beside the newer one until `previousSecretUntil`. */
  @Column('text', { name: 'encrypted_previous_secret', nullable: true })
  encryptedPreviousSecret: string | null;

  @InstantColumn('previous_secret_until', { nullable: true })
  previousSecretUntil: Date | null;

  @InstantColumn('updated_at', { default: () => 'now()' })
  readonly updatedAt: Date;

  @Column('integer', { default: 1 })
  readonly version: number;
}

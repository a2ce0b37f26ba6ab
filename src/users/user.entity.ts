import { Column, Entity, PrimaryColumn } from 'typeorm';
import { InstantColumn } from '../platform/database/base.entity';

/**
 * An account. Row level security shows users only their own. Users change their names; functions of schema auth change
 * everything else. Not a BaseEntity: the tenant is the row itself.
 */
@Entity('users')
export class User {
  @PrimaryColumn('bigint', { generated: 'identity', generatedIdentity: 'ALWAYS' })
  readonly id: number;

  @Column('text')
  readonly email: string;

  /** Not readable by any login of the server. */
  @Column({ type: 'text', name: 'encrypted_password', select: false, insert: false, update: false })
  readonly encryptedPassword: string;

  @Column('text', { name: 'first_name', nullable: true })
  readonly firstName: string | null;

  @Column('text', { name: 'last_name', nullable: true })
  readonly lastName: string | null;

  @Column('boolean', { name: 'is_active', default: true })
  readonly isActive: boolean;

  @Column('boolean', { name: 'is_verified', default: false })
  readonly isVerified: boolean;

  @Column('text', { default: 'user' })
  readonly role: 'user' | 'admin';

  /** Sessions verified before this time have ended. */
  @InstantColumn('sessions_valid_from', { default: () => 'now()' })
  readonly sessionsValidFrom: Date;

  @Column('integer', { default: 1 })
  readonly version: number;

  @InstantColumn('created_at', { default: () => 'now()' })
  readonly createdAt: Date;

  @InstantColumn('updated_at', { default: () => 'now()' })
  readonly updatedAt: Date;
}

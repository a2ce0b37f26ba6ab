import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One security event. Written by auth.log_event() only, never with this entity. */
@Entity('security_logs')
export class SecurityLog {
  @PrimaryColumn('bigint', { generated: 'identity', generatedIdentity: 'ALWAYS' })
  readonly id: number;

  /** Partition key, so part of the primary key. */
  @PrimaryColumn('timestamptz', { name: 'created_at', default: () => 'clock_timestamp()' })
  readonly createdAt: Date;

  /** The user concerned, if known. */
  @Column('bigint', { name: 'user_id', nullable: true })
  readonly userId: number | null;

  @Column('text', { name: 'event_type' })
  readonly eventType: string;

  @Column('inet', { name: 'ip_address', nullable: true })
  readonly ipAddress: string | null;

  @Column('text', { name: 'user_agent', nullable: true })
  readonly userAgent: string | null;

  @Column('boolean')
  readonly success: boolean;

  @Column('jsonb', { nullable: true })
  readonly details: Record<string, unknown> | null;
}

import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { ActorDto, AuditAction } from './audit-logs.dto';

/** One change of one row. Written by the database only, never with this entity. */
@Entity('audit_logs')
export class AuditLog {
  @PrimaryColumn('bigint', { generated: 'identity', generatedIdentity: 'ALWAYS' })
  readonly id: number;

  /** Partition key, so part of the primary key. */
  @PrimaryColumn('timestamptz', { name: 'created_at', default: () => 'clock_timestamp()' })
  readonly createdAt: Date;

  /** The tenant whose row changed. */
  @Column('bigint', { name: 'user_id', nullable: true })
  readonly userId: number | null;

  @Column('text', { name: 'table_name' })
  readonly tableName: string;

  @Column('bigint', { name: 'record_id', nullable: true })
  readonly recordId: number | null;

  @Column('text')
  readonly action: AuditAction;

  /** Column names and PostgreSQL's JSON of the values. Updates contain only changed columns; secrets are redacted. */
  @Column('jsonb', { name: 'old_values', nullable: true })
  readonly oldValues: Record<string, unknown> | null;

  @Column('jsonb', { name: 'new_values', nullable: true })
  readonly newValues: Record<string, unknown> | null;

  /** Removed together with the values on erasure. */
  @Column('bytea', { name: 'values_salt', nullable: true, select: false })
  readonly valuesSalt: Buffer | null;

  /** Replaces erased values; see audit.values_hash(). */
  @Column('bytea', { name: 'values_hash', nullable: true, select: false })
  readonly valuesHash: Buffer | null;

  @Column('inet', { name: 'ip_address', nullable: true })
  readonly ipAddress: string | null;

  @Column('text', { name: 'actor_kind' })
  readonly actorKind: ActorDto['kind'];

  @Column('bigint', { name: 'actor_id', nullable: true })
  readonly actorId: number | null;

  @Column('text', { name: 'request_id', nullable: true })
  readonly requestId: string | null;

  @Column('text', { nullable: true })
  readonly operation: string | null;

  @Column('text', { nullable: true })
  readonly reason: string | null;
}

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

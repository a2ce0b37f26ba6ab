import { Column, Entity } from 'typeorm';
import { BaseEntity, InstantColumn } from '../platform/database/base.entity';

/** States of a reply. `unknown`: the call was made, and no answer arrived. */
export const DELIVERIES = ['sending', 'sent', 'unknown', 'failed'] as const;
/** One of DELIVERIES. */
export type Delivery = (typeof DELIVERIES)[number];

/** A message of a conversation with a client, with or without a job. */
@Entity('messages')
export class Message extends BaseEntity {
  @Column('bigint', { name: 'job_id', nullable: true })
  jobId: number | null;

  /** Upwork's ids of the room and the message, set by the synchronisation. */
  @Column('text', { name: 'room_id', nullable: true })
  roomId: string | null;

  @Column('text', { name: 'upwork_message_id', nullable: true })
  upworkMessageId: string | null;

  @Column('text', { name: 'sender_type' })
  senderType: 'client' | 'freelancer';

  @Column('text')
  content: string;

  /** Number of files on Upwork; their content is not fetched. */
  @Column({ type: 'integer', name: 'attachment_count', default: 0, insert: false, update: false })
  readonly attachmentCount: number;

  /** Always true for the freelancer's own messages. */
  @Column('boolean', { name: 'is_read', default: false })
  isRead: boolean;

  /** When the user read it; null for their own messages. */
  @InstantColumn('read_at', { nullable: true })
  readAt: Date | null;

  /** State of a reply that is sent to Upwork; null for other messages. SQL changes it. */
  @Column({ type: 'text', name: 'delivery', nullable: true, insert: false, update: false })
  readonly delivery: Delivery | null;

  @Column({ type: 'text', name: 'delivery_error', nullable: true, insert: false, update: false })
  readonly deliveryError: string | null;

  /** When its text was fetched from Upwork. */
  @InstantColumn('fetched_at', { nullable: true, insert: false, update: false })
  readonly fetchedAt: Date | null;

  @InstantColumn('updated_at', { default: () => 'now()' })
  readonly updatedAt: Date;

  @Column('integer', { default: 1 })
  readonly version: number;
}

import { Column, Entity } from 'typeorm';
import { BaseEntity, InstantColumn } from '../platform/database/base.entity';

/** One message of a conversation with a client, about a job or not. */
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

  /** What the freelancer wrote is read from the start. */
  @Column('boolean', { name: 'is_read', default: false })
  isRead: boolean;

  /** When he read it; null for what he wrote. */
  @InstantColumn('read_at', { nullable: true })
  readAt: Date | null;

  /** When its text came from Upwork. */
  @InstantColumn('fetched_at', { nullable: true, insert: false, update: false })
  readonly fetchedAt: Date | null;

  @InstantColumn('updated_at', { default: () => 'now()' })
  readonly updatedAt: Date;

  @Column('integer', { default: 1 })
  readonly version: number;
}

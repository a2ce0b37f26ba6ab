import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database';
import { MARK_FOUND } from './message-delivery.queries';
import { LOCK_MESSAGES } from './messages.queries';
import {
  LINK_CONVERSATIONS,
  READ_ROOM,
  STORE_CONVERSATION,
  UPDATE_LAST_MESSAGE,
} from './conversations/conversations.queries';

/** A message as Upwork returns it. */
export interface UpworkMessageInput {
  readonly upworkMessageId: string;
  readonly senderType: 'client' | 'freelancer';
  /** True when the user of the connection wrote it, not a team mate. */
  readonly isByUser: boolean;
  readonly content: string;
  readonly attachmentCount: number;
  readonly sentAt: Date;
}

/** A conversation on Upwork, its proposal and its job. */
export interface UpworkRoomInput {
  /** The connection that reads the room. */
  readonly tokenId: number;
  readonly roomId: string;
  readonly title: string | null;
  readonly topic: string | null;
  readonly upworkProposalId: string | null;
  /** The number of the job; a search shows the job as `~02` and this number. */
  readonly upworkJobNumber: string | null;
  /** Time up to which the user has read the room on Upwork. */
  readonly readUntil: Date | null;
}

/** Numbers of new and changed messages. */
export interface StoredMessages {
  readonly created: number;
  readonly updated: number;
  readonly read: number;
}

/**
 * Stores the messages $3 of the room $1, read until $2. A message that was stored before its job gets the job now. One
 * of a team mate whose organization was not known yet was taken for the client's, never the reverse.
 */
const STORE = `
  INSERT INTO messages AS m (
    job_id, room_id, upwork_message_id, sender_type, content, attachment_count, is_read, read_at, created_at, fetched_at
  )
  SELECT (SELECT c.job_id FROM conversations c WHERE c.room_id = $1), $1, r.id, r.sender, r.content, r.attachments,
         v.is_read, CASE WHEN v.is_read AND r.sender = 'client' THEN now() END, r.sent_at, now()
  FROM jsonb_to_recordset($3) AS r (id text, sender text, content text, attachments integer, sent_at timestamptz),
       LATERAL (SELECT r.sender = 'freelancer' OR coalesce(r.sent_at <= $2::timestamptz, false)) AS v (is_read)
  ORDER BY r.sent_at
  ON CONFLICT ON CONSTRAINT messages_upwork_message_id_key DO UPDATE SET
    sender_type = CASE excluded.sender_type WHEN 'freelancer' THEN 'freelancer' ELSE m.sender_type END,
    is_read = m.is_read OR excluded.sender_type = 'freelancer',
    read_at = CASE excluded.sender_type WHEN 'client' THEN m.read_at END,
    content = excluded.content, attachment_count = excluded.attachment_count,
    job_id = coalesce(m.job_id, excluded.job_id), fetched_at = now()
  WHERE (m.content, m.attachment_count) IS DISTINCT FROM (excluded.content, excluded.attachment_count)
    OR (m.sender_type = 'client' AND excluded.sender_type = 'freelancer')
    OR (m.job_id IS NULL AND excluded.job_id IS NOT NULL)
  RETURNING xmax = 0 AS "isNew"`;

/** Marks messages as read here that were read on Upwork, never the reverse. */
const READ_UNTIL = `
  UPDATE messages SET is_read = true, read_at = now()
  WHERE room_id = $1 AND NOT is_read AND sender_type = 'client' AND created_at <= $2 RETURNING id`;

/** Stores the messages of conversations on Upwork. */
@Injectable()
export class UpworkMessagesService {
  constructor(private readonly database: Database) {}

  /**
   * Stores a room, its new messages and the edited ones. One transaction; an audit row for each change.
   */
  store(room: UpworkRoomInput, messages: readonly UpworkMessageInput[]): Promise<StoredMessages> {
    const { roomId, readUntil } = room;
    return this.database.transaction(async (unit) => {
      await unit.query(LOCK_MESSAGES);
      await unit.query(STORE_CONVERSATION, toConversationParameters(room));
      const rows = JSON.stringify(messages.map(toRow));
      let found: unknown[];
      do found = await unit.query(MARK_FOUND, [roomId, rows]);
      while (found.length > 0);
      const stored = await unit.query<{ isNew: boolean }>(STORE, [roomId, readUntil, rows]);
      const read = readUntil === null ? [] : await unit.query(READ_UNTIL, [roomId, readUntil]);
      await unit.query(UPDATE_LAST_MESSAGE, [roomId]);
      const created = stored.filter(({ isNew }) => isNew).length;
      return { created, updated: stored.length - created, read: read.length };
    });
  }

  /** Returns a stored room, as the connection `tokenId` reads it. One statement. */
  async findRoom(roomId: string, tokenId: number, readUntil: Date | null): Promise<UpworkRoomInput | undefined> {
    const [row] = await this.database.query<Omit<UpworkRoomInput, 'tokenId' | 'readUntil'>>(READ_ROOM, [roomId]);
    return row && { ...row, tokenId, readUntil };
  }

  /** Links conversations and messages with jobs and proposals that were stored after them. One transaction. */
  async link(): Promise<void> {
    await this.database.transaction((unit) => Promise.all([unit.query(LOCK_MESSAGES), unit.query(LINK_CONVERSATIONS)]));
  }
}

function toConversationParameters(room: UpworkRoomInput): unknown[] {
  const { tokenId, roomId, title, topic, upworkProposalId, upworkJobNumber } = room;
  return [tokenId, roomId, title, topic, upworkProposalId, upworkJobNumber, listSourceKeys(room)];
}

function toRow(message: UpworkMessageInput): object {
  const { upworkMessageId: id, senderType: sender, isByUser, content, attachmentCount, sentAt } = message;
  return { id, sender, by_user: isByUser, content, attachments: attachmentCount, sent_at: sentAt };
}

/** Lists the keys under which the room's job can be stored: jobs of searches by `~02` and their number. */
function listSourceKeys({ upworkJobNumber }: UpworkRoomInput): string[] {
  return upworkJobNumber === null ? [] : [`upwork:${upworkJobNumber}`, `upwork:~02${upworkJobNumber}`];
}

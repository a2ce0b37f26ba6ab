import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database';

/** A message as Upwork returns it. */
export interface UpworkMessageInput {
  readonly upworkMessageId: string;
  readonly senderType: 'client' | 'freelancer';
  readonly content: string;
  readonly sentAt: Date;
}

/** A conversation on Upwork and its proposal. */
export interface UpworkRoomInput {
  readonly roomId: string;
  readonly upworkProposalId: string | null;
  /** Time up to which the user has read the room on Upwork. */
  readonly readUntil: Date | null;
}

const STORE = `
  WITH job AS (SELECT p.job_id AS id FROM proposals p WHERE p.upwork_proposal_id = $2)
  INSERT INTO messages AS m (
    job_id, room_id, upwork_message_id, sender_type, content, is_read, read_at, created_at, fetched_at
  )
  SELECT (SELECT id FROM job), $1, r.id, r.sender, r.content, v.is_read,
         CASE WHEN v.is_read AND r.sender = 'client' THEN now() END, r.sent_at, now()
  FROM jsonb_to_recordset($4) AS r (id text, sender text, content text, sent_at timestamptz),
       LATERAL (SELECT r.sender = 'freelancer' OR coalesce(r.sent_at <= $3::timestamptz, false)) AS v (is_read)
  ORDER BY r.sent_at
  ON CONFLICT ON CONSTRAINT messages_upwork_message_id_key DO UPDATE SET content = excluded.content, fetched_at = now()
  WHERE m.content IS DISTINCT FROM excluded.content
  RETURNING xmax = 0 AS "isNew"`;

/** Marks messages as read here that were read on Upwork, never the reverse. */
const READ_UNTIL = `
  UPDATE messages SET is_read = true, read_at = now()
  WHERE room_id = $1 AND NOT is_read AND sender_type = 'client' AND created_at <= $2 RETURNING id`;

/** Stores the messages of conversations on Upwork. */
@Injectable()
export class UpworkMessagesService {
  constructor(private readonly database: Database) {}

  /** Stores new messages of a room and updates edited ones. One transaction; an audit row for each. */
  store(
    { roomId, upworkProposalId, readUntil }: UpworkRoomInput,
    messages: readonly UpworkMessageInput[],
  ): Promise<{ created: number; updated: number; read: number }> {
    const rows = messages.map((m) => ({
      id: m.upworkMessageId,
      sender: m.senderType,
      content: m.content,
      sent_at: m.sentAt,
    }));
    return this.database.transaction(async (unit) => {
      const stored = await unit.query<{ isNew: boolean }>(STORE, [
        roomId,
        upworkProposalId,
        readUntil,
        JSON.stringify(rows),
      ]);
      const read = readUntil === null ? [] : await unit.query(READ_UNTIL, [roomId, readUntil]);
      const created = stored.filter(({ isNew }) => isNew).length;
      return { created, updated: stored.length - created, read: read.length };
    });
  }
}

import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database';

/** A message as Upwork returns it. */
export interface UpworkMessageInput {
  readonly upworkMessageId: string;
  readonly senderType: 'client' | 'freelancer';
  readonly content: string;
  readonly attachmentCount: number;
  readonly sentAt: Date;
}

/** A conversation on Upwork, its proposal and its job. */
export interface UpworkRoomInput {
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

/** Stores the messages $4 of the room $1. A message that was stored before its job was gets the job now. */
const STORE = `
  WITH job AS (
    SELECT coalesce(
      (SELECT p.job_id FROM proposals p WHERE p.upwork_proposal_id = $2),
      (SELECT min(j.id) FROM jobs j WHERE j.source_key = ANY ($5))) AS id
  )
  INSERT INTO messages AS m (
    job_id, room_id, upwork_message_id, sender_type, content, attachment_count, is_read, read_at, created_at, fetched_at
  )
  SELECT (SELECT id FROM job), $1, r.id, r.sender, r.content, r.attachments, v.is_read,
         CASE WHEN v.is_read AND r.sender = 'client' THEN now() END, r.sent_at, now()
  FROM jsonb_to_recordset($4) AS r (id text, sender text, content text, attachments integer, sent_at timestamptz),
       LATERAL (SELECT r.sender = 'freelancer' OR coalesce(r.sent_at <= $3::timestamptz, false)) AS v (is_read)
  ORDER BY r.sent_at
  ON CONFLICT ON CONSTRAINT messages_upwork_message_id_key DO UPDATE SET
    content = excluded.content, attachment_count = excluded.attachment_count,
    job_id = coalesce(m.job_id, excluded.job_id), fetched_at = now()
  WHERE (m.content, m.attachment_count) IS DISTINCT FROM (excluded.content, excluded.attachment_count)
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

  /** Stores new messages of a room and updates edited ones. One transaction; an audit row for each. */
  store(room: UpworkRoomInput, messages: readonly UpworkMessageInput[]): Promise<StoredMessages> {
    const { roomId, readUntil } = room;
    return this.database.transaction(async (unit) => {
      const stored = await unit.query<{ isNew: boolean }>(STORE, [
        ...[roomId, room.upworkProposalId, readUntil, JSON.stringify(messages.map(toRow))],
        listSourceKeys(room),
      ]);
      const read = readUntil === null ? [] : await unit.query(READ_UNTIL, [roomId, readUntil]);
      const created = stored.filter(({ isNew }) => isNew).length;
      return { created, updated: stored.length - created, read: read.length };
    });
  }
}

function toRow({ upworkMessageId, senderType, content, attachmentCount, sentAt }: UpworkMessageInput): object {
  return { id: upworkMessageId, sender: senderType, content, attachments: attachmentCount, sent_at: sentAt };
}

/** Lists the keys under which the room's job can be stored: jobs of searches by `~02` and their number. */
function listSourceKeys({ upworkJobNumber }: UpworkRoomInput): string[] {
  return upworkJobNumber === null ? [] : [`upwork:${upworkJobNumber}`, `upwork:~02${upworkJobNumber}`];
}

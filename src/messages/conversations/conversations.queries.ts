import { Conditions } from '../../platform/database/conditions';
import type { CursorKey } from '../../platform/http/pagination/keyset-page';
import type { ConversationDto, ListConversationsDto } from './conversations.dto';

/** A row of the list, with its sort value as PostgreSQL's text because a Date loses the microseconds. */
export type ConversationRow = ConversationDto & { readonly sortKey: string };

/** The condition of the partial index idx_messages_unread_room_id. */
const UNREAD = `FROM messages m WHERE m.room_id = c.room_id AND NOT m.is_read AND m.sender_type = 'client'`;

const COLUMNS = `
  c.id, c.room_id AS "roomId", c.title, c.topic, c.job_id AS "jobId", c.proposal_id AS "proposalId",
  (SELECT count(*) ${UNREAD}) AS "unreadCount", c.last_activity_at AS "lastActivityAt",
  c.last_sender_type AS "lastSenderType", c.last_text AS "lastText",
  CASE c.last_sender_type WHEN 'client' THEN 'freelancer' WHEN 'freelancer' THEN 'client' END AS "waitingFor",
  c.created_at AS "createdAt", c.updated_at AS "updatedAt"`;

/** The last sender of a conversation that waits for the other. */
const LAST_SENDER = { freelancer: 'client', client: 'freelancer' } as const;

/** Selects the tenant's conversations after the row with the keys `after`, at most `take` rows. */
export function listConversations(
  { jobId, unread, waitingFor }: ListConversationsDto,
  after: readonly CursorKey[] | undefined,
  take: number,
): [sql: string, values: unknown[]] {
  const conditions = new Conditions()
    .add('c.job_id = $?', jobId)
    .add('c.last_sender_type = $?', waitingFor && LAST_SENDER[waitingFor]);
  if (unread !== undefined) conditions.always(`${unread ? '' : 'NOT '}EXISTS (SELECT ${UNREAD})`);
  conditions.after('c.last_activity_at, c.id', '<', ['timestamptz', 'bigint'], after);
  const limit = conditions.value(take);
  return [
    `SELECT ${COLUMNS}, c.last_activity_at::text AS "sortKey" FROM conversations c ${conditions.where}
     ORDER BY c.last_activity_at DESC, c.id DESC LIMIT ${limit}`,
    conditions.values,
  ];
}

/** Reads the conversation $1. */
export const READ_CONVERSATION = `SELECT ${COLUMNS} FROM conversations c WHERE c.id = $1`;

/** Reads what is known of the room $1. */
export const READ_ROOM = `
  SELECT room_id AS "roomId", title, topic, upwork_proposal_id AS "upworkProposalId",
    upwork_job_number AS "upworkJobNumber"
  FROM conversations WHERE room_id = $1`;

/**
 * Stores the room $2 that the connection $1 read. Its proposal is $5, its job has the number $6 or one of the keys
 * $7. A job that is known stays when Upwork no longer names it.
 */
export const STORE_CONVERSATION = `
  WITH link AS (
    SELECT p.id AS proposal_id,
           coalesce(p.job_id, (
             SELECT min(j.id) FROM jobs j WHERE j.source_key = ANY ($7) OR j.upwork_job_number = $6
           )) AS job_id
    FROM (SELECT) one LEFT JOIN proposals p ON p.upwork_proposal_id = $5
  )
  INSERT INTO conversations AS c (
    token_id, room_id, title, topic, upwork_proposal_id, upwork_job_number, proposal_id, job_id
  )
  SELECT $1, $2, $3, $4, $5, $6, link.proposal_id, link.job_id FROM link
  ON CONFLICT ON CONSTRAINT conversations_room_id_key DO UPDATE SET
    token_id = excluded.token_id, title = excluded.title, topic = excluded.topic,
    upwork_proposal_id = coalesce(excluded.upwork_proposal_id, c.upwork_proposal_id),
    upwork_job_number = coalesce(excluded.upwork_job_number, c.upwork_job_number),
    proposal_id = coalesce(excluded.proposal_id, c.proposal_id), job_id = coalesce(excluded.job_id, c.job_id)`;

/** Updates the last message of the room $1 from its messages. A reply that failed is none. */
export const UPDATE_LAST_MESSAGE = `
  UPDATE conversations c
  SET last_activity_at = coalesce(m.created_at, c.created_at), last_sender_type = m.sender_type, last_text = m.text
  FROM (SELECT) one LEFT JOIN (
    SELECT created_at, sender_type, left(content, 200) AS text FROM messages
    WHERE room_id = $1 AND delivery IS DISTINCT FROM 'failed'
    ORDER BY created_at DESC, id DESC LIMIT 1
  ) m ON true
  WHERE c.room_id = $1 AND (c.last_activity_at, c.last_sender_type, c.last_text)
    IS DISTINCT FROM (coalesce(m.created_at, c.created_at), m.sender_type, m.text)`;

/** Links conversations, and their messages, with jobs and proposals that were stored after them. */
export const LINK_CONVERSATIONS = `
  WITH linked AS (
    UPDATE conversations c SET job_id = coalesce(c.job_id, l.job_id), proposal_id = l.proposal_id
    FROM (
      SELECT u.id, p.id AS proposal_id, coalesce(p.job_id, j.id) AS job_id
      FROM conversations u
      LEFT JOIN proposals p ON p.upwork_proposal_id = u.upwork_proposal_id
      LEFT JOIN jobs j
        ON j.source_key = 'upwork:~02' || u.upwork_job_number OR j.upwork_job_number = u.upwork_job_number
      WHERE (u.upwork_proposal_id IS NOT NULL AND u.proposal_id IS NULL)
         OR (u.upwork_job_number IS NOT NULL AND u.job_id IS NULL)
    ) l
    WHERE c.id = l.id AND (l.proposal_id IS NOT NULL OR (c.job_id IS NULL AND l.job_id IS NOT NULL))
    RETURNING c.room_id, c.job_id
  )
  UPDATE messages m SET job_id = l.job_id FROM linked l
  WHERE m.room_id = l.room_id AND m.job_id IS NULL AND l.job_id IS NOT NULL`;

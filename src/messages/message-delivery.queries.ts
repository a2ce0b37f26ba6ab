import type { Delivery } from './message.entity';

/** The room of a reply, and the connection that sends it. */
export interface DeliveryRow {
  readonly id: number;
  readonly delivery: Delivery | null;
  readonly content: string;
  /** When the call that sends it was last prepared. */
  readonly attemptedAt: Date;
  readonly roomId: string;
  readonly title: string | null;
  readonly topic: string | null;
  readonly upworkProposalId: string | null;
  readonly upworkJobNumber: string | null;
  readonly tokenId: number | null;
  readonly organizationId: string | null;
}

/** Finds the conversation of the room $1, or the latest one about the job $2. */
export const FIND_CONVERSATION = `
  SELECT id, room_id AS "roomId" FROM conversations WHERE room_id = $1 OR job_id = $2
  ORDER BY last_activity_at DESC, id DESC LIMIT 1`;

/** A call that did not end within two minutes never will: it is given up after less than one. */
const STALE_AFTER = `interval '2 minutes'`;

/** Stores the reply $2 in the conversation $1 before it is sent. */
export const CREATE_REPLY = `
  INSERT INTO messages (job_id, room_id, sender_type, content, is_read, delivery, attempted_at, next_check_at)
  SELECT c.job_id, c.room_id, 'freelancer', $2, true, 'sending', now(), now() + ${STALE_AFTER}
  FROM conversations c WHERE c.id = $1 RETURNING id`;

/**
 * Prepares another call for the reply $1, which now follows the messages that arrived since. Returns no row while it is
 * being sent, and after it was sent.
 */
export const RETRY_REPLY = `
  UPDATE messages SET delivery = 'sending', delivery_error = NULL, created_at = now(), attempted_at = now(),
    delivery_checks = 0, next_check_at = now() + ${STALE_AFTER}
  WHERE id = $1 AND delivery IN ('unknown', 'failed') RETURNING id`;

/** Gives up the reply $1. Returns no row while it is being sent, and after it was sent. */
export const DISCARD_REPLY = `
  UPDATE messages SET delivery = 'failed', delivery_error = 'You discarded it.', next_check_at = NULL
  WHERE id = $1 AND delivery IN ('unknown', 'failed') RETURNING id`;

/** Reads the reply $1 with its room and its connection. */
export const READ_DELIVERY = `
  SELECT m.id, m.delivery, m.content, m.attempted_at AS "attemptedAt", c.room_id AS "roomId", c.title, c.topic,
    c.upwork_proposal_id AS "upworkProposalId", c.upwork_job_number AS "upworkJobNumber",
    c.token_id AS "tokenId", t.organization_id AS "organizationId"
  FROM messages m JOIN conversations c ON c.room_id = m.room_id
  LEFT JOIN user_tokens t ON t.id = c.token_id
  WHERE m.id = $1`;

/**
 * Records that Upwork stored the reply $1 as $2. A synchronisation may already have found it; then it does not change.
 * It may also have stored it as a row of its own, because Upwork changed the text; the reply takes that row's place.
 */
export const MARK_SENT = `
  WITH reply AS (
    SELECT id FROM messages WHERE id = $1 AND delivery IN ('sending', 'unknown') FOR UPDATE
  ), fetched AS (
    DELETE FROM messages m USING reply WHERE m.upwork_message_id = $2 AND m.delivery IS NULL
    RETURNING m.id, m.content, m.attachment_count, m.fetched_at
  )
  UPDATE messages m SET delivery = 'sent', delivery_error = NULL, next_check_at = NULL,
    upwork_message_id = CASE
      WHEN NOT EXISTS (SELECT FROM messages k WHERE k.upwork_message_id = $2 AND k.id IS DISTINCT FROM f.id) THEN $2
    END,
    content = coalesce(f.content, m.content), attachment_count = coalesce(f.attachment_count, m.attachment_count),
    fetched_at = coalesce(f.fetched_at, m.fetched_at)
  FROM reply LEFT JOIN fetched f ON true
  WHERE m.id = reply.id RETURNING m.room_id AS "roomId"`;

/** Records the outcome $2 of the call for the reply $1, and why. The room is searched for an unknown one. */
export const MARK_NOT_SENT = `
  UPDATE messages SET delivery = $2, delivery_error = $3,
    next_check_at = CASE WHEN $2 = 'unknown' THEN now() + interval '10 seconds' END
  WHERE id = $1 AND delivery = 'sending' RETURNING room_id AS "roomId"`;

/**
 * Marks replies to the room $1 as sent that are among the stories $2: by the same user, with the same text, from one
 * minute before the call, because clocks differ, to ten minutes after it. Upwork may also have a reply that the user
 * discarded. A story belongs to the reply whose call was nearest. Run it until it returns no row: when two stories are
 * nearest to one reply, the next run gives the other story to the next reply with this text.
 */
export const MARK_FOUND = `
  WITH nearest AS (
    SELECT DISTINCT ON (r.id) m.id, r.id AS story, abs(extract(epoch FROM r.sent_at - m.attempted_at)) AS distance
    FROM messages m
    JOIN jsonb_to_recordset($2) AS r (id text, by_user boolean, content text, sent_at timestamptz)
      ON r.by_user AND btrim(r.content) = btrim(m.content)
      AND r.sent_at BETWEEN m.attempted_at - interval '1 minute' AND m.attempted_at + interval '10 minutes'
    WHERE m.room_id = $1 AND m.delivery IN ('sending', 'unknown', 'failed')
      AND NOT EXISTS (SELECT FROM messages k WHERE k.upwork_message_id = r.id)
    ORDER BY r.id, distance
  ), found AS (
    SELECT DISTINCT ON (id) id, story FROM nearest ORDER BY id, distance
  )
  UPDATE messages m SET delivery = 'sent', delivery_error = NULL, next_check_at = NULL, upwork_message_id = f.story,
    fetched_at = now()
  FROM found f WHERE m.id = f.id RETURNING m.id`;

/**
 * Claims and counts a search for the reply $1. The next ones follow after 1, 4, 16 and 64 minutes; there are five, also
 * when the room cannot be read. A stale call is unknown.
 */
export const CLAIM_CHECK = `
  UPDATE messages SET delivery = 'unknown', delivery_checks = delivery_checks + 1,
    next_check_at = CASE WHEN delivery_checks < 4 THEN now() + interval '1 minute' * power(4, delivery_checks) END,
    delivery_error = coalesce(delivery_error, 'No answer of Upwork arrived.')
  WHERE id = $1 AND delivery IN ('sending', 'unknown') AND next_check_at <= now() RETURNING id`;

/** Undoes the count of a search for the reply $1 that had no calls left, and repeats it after $2 seconds. */
export const POSTPONE_CHECK = `
  UPDATE messages SET delivery_checks = delivery_checks - 1, next_check_at = now() + make_interval(secs => $2)
  WHERE id = $1 AND delivery = 'unknown' AND delivery_checks > 0`;

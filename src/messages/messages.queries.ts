import { Conditions } from '../platform/database/conditions';
import { buildSelectList } from '../platform/database/base.entity';
import { listFields } from '../platform/http/openapi/dto-fields';
import type { CursorKey } from '../platform/http/pagination/keyset-page';
import { type ListMessagesDto, MessageDto } from './messages.dto';
import { Message } from './message.entity';

/** A row of the list, with its sort value as PostgreSQL's text because a Date loses the microseconds. */
export type MessageRow = MessageDto & { readonly sortKey: string };

const COLUMNS = buildSelectList(Message, listFields(MessageDto));

/** The condition of the partial index idx_messages_is_read: unread messages of clients. */
const UNREAD = `NOT is_read AND sender_type = 'client'`;

/** Selects the tenant's messages after the row with the keys `after`, at most `take` rows. */
export function listMessages(
  { jobId, roomId, isRead, sort }: ListMessagesDto,
  after: readonly CursorKey[] | undefined,
  take: number,
): [sql: string, values: unknown[]] {
  const isAscending = sort === 'createdAt';
  const direction = isAscending ? 'ASC' : 'DESC';
  const conditions = new Conditions().add('job_id = $?', jobId).add('room_id = $?', roomId);
  // With a parameter the planner could not use the partial index of unread messages.
  if (isRead !== undefined) conditions.always(isRead ? 'is_read' : UNREAD);
  conditions.after('created_at, id', isAscending ? '>' : '<', ['timestamptz', 'bigint'], after);
  const limit = conditions.value(take);
  return [
    `SELECT ${COLUMNS}, created_at::text AS "sortKey" FROM messages ${conditions.where}
     ORDER BY created_at ${direction}, id ${direction} LIMIT ${limit}`,
    conditions.values,
  ];
}

/**
 * Serializes the writers of one tenant that change several messages and conversations, so that they cannot deadlock.
 * Comes first in a transaction: `app.merge_upwork_jobs` takes the same lock before it locks jobs.
 */
export const LOCK_MESSAGES = `SELECT pg_advisory_xact_lock(hashtextextended('messages', auth.uid()))`;

/** Counts the unread messages of clients. */
export const COUNT_UNREAD = `SELECT count(*) AS unread FROM messages WHERE ${UNREAD}`;

/** Marks all unread messages about the job $1 as read; `hasJob` is true when the tenant has it. */
export const READ_ALL_OF_JOB = `
  WITH marked AS (
    UPDATE messages SET is_read = true, read_at = now() WHERE job_id = $1 AND ${UNREAD} RETURNING id
  )
  SELECT EXISTS (SELECT FROM jobs WHERE id = $1) AS "hasJob", (SELECT count(*) FROM marked) AS updated`;

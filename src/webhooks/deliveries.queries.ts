import { Conditions } from '../platform/database/conditions';
import type { CursorKey } from '../platform/http/pagination/keyset-page';

/** Row of alert_deliveries. */
export interface DeliveryRow {
  readonly id: number;
  readonly eventId: string;
  readonly eventType: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly status: 'pending' | 'delivered' | 'failed';
  readonly attempts: number;
  readonly nextAt: Date;
  readonly responseStatus: number | null;
  readonly lastError: string | null;
  readonly deliveredAt: Date | null;
  readonly createdAt: Date;
}

/** Delivery claimed by a worker, with its destination. */
export interface ClaimedDelivery extends DeliveryRow {
  readonly email: string;
  /** Null for an email. */
  readonly webhookId: number | null;
}

const COLUMNS = `d.id, d.event_id AS "eventId", d.event_type AS "eventType", d.payload, d.status, d.attempts,
  d.next_at AS "nextAt", d.response_status AS "responseStatus", d.last_error AS "lastError",
  d.delivered_at AS "deliveredAt", d.created_at AS "createdAt"`;

/** Builds the query for one page of the deliveries of a webhook after the cursor `after`, newest first. */
export function listDeliveries(
  webhookId: number,
  after: readonly CursorKey[] | undefined,
  take: number,
): [sql: string, values: unknown[]] {
  const conditions = new Conditions().add('d.webhook_id = $?', webhookId).after('d.id', '<', ['bigint'], after);
  const limit = conditions.value(take);
  return [
    `SELECT ${COLUMNS} FROM alert_deliveries d ${conditions.where} ORDER BY d.id DESC LIMIT ${limit}`,
    conditions.values,
  ];
}

/** Records a delivery of type $2 for the webhook $1; due at once, or when the pause of the webhook ends. */
export const RECORD_DELIVERY = `
  INSERT INTO alert_deliveries AS d (webhook_id, event_type, payload, next_at)
  SELECT w.id, $2, $3, greatest(now(), w.paused_until) FROM webhooks w WHERE w.id = $1 RETURNING ${COLUMNS}`;

/** Locks the webhook $1, so that parallel tests are counted one by one. Returns no row when it does not exist. */
export const LOCK_WEBHOOK = `SELECT id FROM webhooks WHERE id = $1 FOR UPDATE`;

/**
 * Returns the seconds until the webhook $1 may be tested again if $2 tests were recorded in the last minute; otherwise
 * no row.
 */
export const SECONDS_UNTIL_TEST_ALLOWED = `
  SELECT ceil(extract(epoch FROM d.created_at + interval '1 minute' - now()))::integer AS seconds
  FROM alert_deliveries d
  WHERE d.webhook_id = $1 AND d.event_type = 'webhook.test' AND d.created_at > now() - interval '1 minute'
  ORDER BY d.id DESC OFFSET $2::integer - 1 LIMIT 1`;

/** Makes the failed delivery $2 of the webhook $1 pending again. Returns no row when there is none. */
export const RETRY_DELIVERY = `
  UPDATE alert_deliveries d SET status = 'pending', attempts = 0, next_at = now(), last_error = NULL
  WHERE d.webhook_id = $1 AND d.id = $2 AND d.status = 'failed' RETURNING ${COLUMNS}`;

/** Finds the delivery $2 of the webhook $1. */
export const FIND_DELIVERY = `SELECT id FROM alert_deliveries WHERE webhook_id = $1 AND id = $2`;

/**
 * Claims the delivery $1 for the owner $2, for $3 seconds. Returns no row when it is finished, not due, claimed by
 * another, or its webhook is paused.
 */
export const CLAIM_DELIVERY = `
  UPDATE alert_deliveries d SET lease_owner = $2, lease_until = now() + make_interval(secs => $3),
    attempts = d.attempts + 1
  WHERE d.id = $1 AND d.status = 'pending' AND d.next_at <= now() AND (d.lease_until IS NULL OR d.lease_until < now())
    AND NOT EXISTS (SELECT FROM webhooks w WHERE w.id = d.webhook_id AND w.paused_until > now())
  RETURNING ${COLUMNS}, d.webhook_id AS "webhookId", (SELECT email FROM users) AS email`;

/** Marks the delivery $1 of the owner $2 as delivered, and resets the timeouts of its webhook $4. */
export const MARK_DELIVERED = `
  WITH answering AS (UPDATE webhooks SET timeouts = 0, paused_until = NULL WHERE id = $4 AND timeouts > 0)
  UPDATE alert_deliveries SET status = 'delivered', delivered_at = now(), response_status = $3, last_error = NULL,
    lease_owner = NULL, lease_until = NULL
  WHERE id = $1 AND lease_owner = $2`;

/**
 * Pauses the webhook $1 and its pending deliveries for $2 seconds. NULL means a timeout: one minute, doubled with each
 * consecutive timeout up to 15 minutes. Of two parallel timeouts one counts.
 */
export const PAUSE_WEBHOOK = `
  WITH paused AS (
    UPDATE webhooks SET timeouts = timeouts + CASE WHEN $2::float8 IS NULL THEN 1 ELSE 0 END,
      paused_until = now() + coalesce(
        make_interval(secs => $2::float8), least(interval '1 minute' * 2 ^ least(timeouts, 10), interval '15 minutes')
      )
    WHERE id = $1 AND (paused_until IS NULL OR paused_until <= now())
    RETURNING id, paused_until
  )
  UPDATE alert_deliveries d SET next_at = paused.paused_until FROM paused
  WHERE d.webhook_id = paused.id AND d.status = 'pending' AND d.next_at < paused.paused_until`;

/** Records a failed attempt: retried after $5 seconds, or failed for good when $5 is NULL. */
export const RECORD_DELIVERY_FAILURE = `
  UPDATE alert_deliveries SET response_status = $3, last_error = $4, lease_owner = NULL, lease_until = NULL,
    status = CASE WHEN $5::float8 IS NULL THEN 'failed' ELSE status END,
    next_at = now() + make_interval(secs => coalesce($5::float8, 0))
  WHERE id = $1 AND lease_owner = $2`;

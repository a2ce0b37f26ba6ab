import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { UnitOfWork } from '../database/unit-of-work';
import { AppError } from '../errors/app-error';
import { sortKeys } from '../http/validation/json-object-field';

/** A stored response, which is sent again for the same key. */
export interface StoredResponse {
  /** Hash of the request by `hashRequest`. */
  readonly requestHash: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON; null for a response without a body. */
  readonly body: string | null;
}

/** Idempotency-Key of a request, and the hash of the request. */
export interface RequestKey {
  readonly key: string;
  readonly hash: string;
}

interface StoredRow {
  readonly request_hash: string;
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string | null;
}

// The lock and the search are two statements: only a statement that begins after the lock is taken sees the rows that
// the previous holder committed.
const LOCK = `SELECT pg_try_advisory_xact_lock(hashtextextended('idempotency:' || $1, auth.uid())) AS held`;

const FIND = `
  SELECT request_hash, status, headers, body FROM idempotency_keys
  WHERE key = $1 AND created_at > now() - interval '24 hours'`;

/** Replaces a row older than 24 hours, whose key is free. */
const STORE = `
  INSERT INTO idempotency_keys (key, request_hash, status, headers, body) VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (user_id, key) DO UPDATE SET
    request_hash = excluded.request_hash, status = excluded.status, headers = excluded.headers,
    body = excluded.body, created_at = excluded.created_at`;

/**
 * Stores responses to requests with an Idempotency-Key, per user and for 24 hours, in the transaction of the effect.
 */
@Injectable()
export class IdempotencyStoreService {
  /**
   * Locks the key until the end of this unit of work, and returns the stored response, if any.
   * @throws AppError `idempotency.in_progress` when another request has locked the key
   */
  async begin(unit: UnitOfWork, key: string): Promise<StoredResponse | undefined> {
    const [[lock], [row]] = await Promise.all([
      unit.query<{ held: boolean }>(LOCK, [key]),
      unit.query<StoredRow>(FIND, [key]),
    ]);
    if (!lock?.held) throw new AppError('idempotency.in_progress', { headers: { 'retry-after': '1' } });
    if (!row) return undefined;
    return { requestHash: row.request_hash, status: row.status, headers: row.headers, body: row.body };
  }

  /** Stores the response. It exists if the unit commits. */
  async save(unit: UnitOfWork, key: string, { requestHash, status, headers, body }: StoredResponse): Promise<void> {
    await unit.query(STORE, [key, requestHash, status, JSON.stringify(headers), body]);
  }

  /**
   * Returns the id of the row that an earlier request with this key created; undefined for a new key.
   * @throws AppError `idempotency.in_progress`, `idempotency.key_reused`
   */
  async findCreatedId(unit: UnitOfWork, { key, hash }: RequestKey): Promise<number | undefined> {
    const stored = await this.begin(unit, key);
    if (!stored) return undefined;
    this.assertSameRequest(stored, hash);
    return (JSON.parse(stored.body ?? '{}') as { id: number }).id;
  }

  /** Stores the id of the row that this request creates in the same unit. */
  async saveCreatedId(unit: UnitOfWork, { key, hash }: RequestKey, status: 201 | 202, id: number): Promise<void> {
    await this.save(unit, key, { requestHash: hash, status, headers: {}, body: JSON.stringify({ id }) });
  }

  /**
   * Rejects a key that was used for another request.
   * @throws AppError `idempotency.key_reused`
   */
  assertSameRequest(stored: StoredResponse, requestHash: string): void {
    if (stored.requestHash !== requestHash) throw new AppError('idempotency.key_reused');
  }
}

/** Returns the key of a request; undefined without one. @throws AppError `idempotency.key_invalid` */
export function readIdempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header === 'string' && /^[\x21-\x7e]{1,255}$/.test(header)) return header;
  throw new AppError('idempotency.key_invalid');
}

/** Returns the key of a request and the hash of the request; undefined without a key. */
export function readRequestKey(request: FastifyRequest): RequestKey | undefined {
  const key = readIdempotencyKey(request.headers['idempotency-key']);
  return key === undefined ? undefined : { key, hash: hashRequest(request.method, request.url, request.body) };
}

/**
 * Returns the hash of a request: method, URL and body. The order of fields is ignored; an empty object equals no body.
 */
export function hashRequest(method: string, url: string, body: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify([method, url, isEmpty(body) ? null : sortKeys(body)]))
    .digest('hex');
}

function isEmpty(body: unknown): boolean {
  return (
    body === undefined ||
    body === null ||
    (body instanceof Object && !Array.isArray(body) && Object.keys(body).length === 0)
  );
}

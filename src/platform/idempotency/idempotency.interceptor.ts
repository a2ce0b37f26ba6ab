import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  SetMetadata,
  UseInterceptors,
} from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { firstValueFrom, from, type Observable } from 'rxjs';
import { currentPrincipal } from '../http/access/access';
import { joinUnitOfWork } from '../database/current-unit-of-work';
import { Database } from '../database/database';
import type { UnitOfWork } from '../database/unit-of-work';
import { createHash } from 'node:crypto';
import { EncryptionService } from '../encryption/encryption.service';
import { AppError } from '../errors/app-error';
import { sortKeys } from '../http/validation/strict-json';

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

/** Headers that are stored with a response. */
const STORED_HEADERS = ['location', 'etag', 'content-type'] as const;

/**
 * Runs a POST with an Idempotency-Key once. The key, the effect and the response are one transaction, which each use of
 * `Database` in the handler joins. Errors are not stored: the corrected request may use the same key. Applied by
 * `@Idempotent()`.
 * @see draft-ietf-httpapi-idempotency-key-header-07
 */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(
    private readonly database: Database,
    private readonly store: IdempotencyStoreService,
  ) {}

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = execution.switchToHttp().getRequest<FastifyRequest>();
    const key = readIdempotencyKey(request.headers['idempotency-key']);
    if (key === undefined) return next.handle();
    const reply = execution.switchToHttp().getResponse<FastifyReply>();
    return from(
      this.runOnce(key, request, reply, (unit) =>
        joinUnitOfWork(unit, () => firstValueFrom(next.handle(), { defaultValue: undefined })),
      ),
    );
  }

  private runOnce(
    key: string,
    request: FastifyRequest,
    reply: FastifyReply,
    handle: (unit: UnitOfWork) => Promise<unknown>,
  ): Promise<unknown> {
    const requestHash = hashRequest(request.method, request.url, request.body);
    return this.database.transaction(async (unit) => {
      const stored = await this.store.begin(unit, key);
      if (stored) {
        this.store.assertSameRequest(stored, requestHash);
        return replay(stored, reply);
      }
      const body = await handle(unit);
      await this.store.save(unit, key, { requestHash, ...captureResponse(body, reply) });
      return body;
    });
  }
}

/**
 * Loads the caller's data key before the transaction of a request with an Idempotency-Key begins: a slow key management
 * service would hold its connection. The handler reports an error, unless the response is stored already.
 */
@Injectable()
export class DataKeyInterceptor implements NestInterceptor {
  constructor(private readonly encryption: EncryptionService) {}

  async intercept(execution: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const { headers } = execution.switchToHttp().getRequest<FastifyRequest>();
    if (readIdempotencyKey(headers['idempotency-key']) !== undefined)
      await this.encryption.prepare(currentPrincipal().userId).catch(() => undefined);
    return next.handle();
  }
}

function captureResponse(body: unknown, reply: FastifyReply): Omit<StoredResponse, 'requestHash'> {
  const headers = STORED_HEADERS.flatMap((name) => {
    const value = reply.getHeader(name);
    return value === undefined ? [] : [[name, String(value)]];
  });
  return {
    status: reply.statusCode,
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: body === undefined ? null : JSON.stringify(body),
  };
}

function replay({ status, headers, body }: StoredResponse, reply: FastifyReply): unknown {
  void reply.status(status).headers({ ...headers, 'idempotent-replayed': 'true' });
  return body === null ? undefined : (JSON.parse(body) as unknown);
}

/** What a POST route does with an Idempotency-Key. Every POST route has one. */
export interface IdempotencyPolicy {
  readonly isSupported: boolean;
  /** Why the route differs from `@Idempotent()`. */
  readonly reason?: string;
}

/** Metadata key of the policy, on a handler or its controller. */
export const IDEMPOTENCY_POLICY = 'gigvault:idempotency-policy';

/** Name of the header, by which the OpenAPI document recognizes the routes that support it. */
export const IDEMPOTENCY_KEY = 'Idempotency-Key';

/** Options of `@Idempotent()`. */
interface IdempotentOptions {
  /** True for a handler that encrypts by `EncryptionService.seal`. */
  readonly sealsSecrets?: boolean;
}

/**
 * Runs the POST once for each Idempotency-Key, and documents the header. The interceptor is not global: Nest wraps each
 * handler with an interceptor in promises and observables, which costs 10 % of the CPU time of a read.
 */
export function Idempotent({ sealsSecrets = false }: IdempotentOptions = {}): MethodDecorator {
  const interceptors = [...(sealsSecrets ? [DataKeyInterceptor] : []), IdempotencyInterceptor];
  return applyDecorators(setPolicy({ isSupported: true }), UseInterceptors(...interceptors), DocumentedKey());
}

/**
 * Marks a route that handles the Idempotency-Key itself, by `IdempotencyStoreService`, with the same responses.
 * @param reason why its work cannot be one transaction around the handler
 */
export function HandlesIdempotencyKey(reason: string): MethodDecorator {
  return applyDecorators(setPolicy({ isSupported: true, reason }), DocumentedKey());
}

/**
 * Marks a POST that ignores the Idempotency-Key, or all POSTs of a controller.
 * @param reason for the reviewer: why its response is not stored
 */
export function NotIdempotent(reason: string): ClassDecorator & MethodDecorator {
  return setPolicy({ isSupported: false, reason });
}

function setPolicy(policy: IdempotencyPolicy): ClassDecorator & MethodDecorator {
  return SetMetadata(IDEMPOTENCY_POLICY, policy);
}

function DocumentedKey(): MethodDecorator {
  return ApiHeader({
    name: IDEMPOTENCY_KEY,
    required: false,
    description:
      'Makes the request safe to repeat for 24 hours. The same key with the same body returns the stored response ' +
      'with `Idempotent-Replayed: true`; another body is 422.',
    schema: { type: 'string', minLength: 1, maxLength: 255, example: 'a3f1c9e2-create-job' },
  });
}

import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { FairSemaphore } from '../platform/concurrency/fair-semaphore';
import { Config } from '../platform/config/config';
import { HEADER_TOKEN } from '../platform/http/edge/header-values';
import { CircuitBreaker } from './circuit-breaker';
import type { UpworkDocument } from './documents/upwork-document';
import { UpworkRateLimiterService } from './upwork-rate-limiter.service';
import { readRetryAfterMs, UpworkError } from './upwork.error';

/** Caller of the Upwork API. */
export interface UpworkCaller {
  /** Tenant; limits and failures are counted per tenant. */
  readonly userId: number;
  readonly accessToken: string;
  /** Organization at Upwork; null lets Upwork choose. */
  readonly organizationId: string | null;
}

const TIMEOUT_MS = 15_000;

/** Maximum concurrent calls per tenant. */
const CALLS_PER_TENANT = 2;

/** Maximum waiting calls per tenant; only a bug reaches it. */
const MAX_WAITING_PER_TENANT = 100;

/** Delays before the second and third attempts, less up to half. */
const RETRY_DELAYS_MS = [500, 2_000];

/** Longer delays that Upwork asks for are left to the caller. */
const MAX_SLEEP_MS = 5_000;

const responseSchema = z.object({
  data: z.unknown().optional(),
  errors: z
    .array(
      z.object({
        path: z
          .array(z.union([z.string(), z.number()]))
          .nullish()
          .catch(null),
      }),
    )
    .nullish(),
});

/**
 * Client of Upwork's GraphQL API: one rate for all processes with fair sharing between tenants, a timeout, retries with
 * jitter, a circuit breaker, and validated answers. All operations only read, so repeating a call is safe.
 */
@Injectable()
export class UpworkClientService {
  private readonly breaker = new CircuitBreaker();
  private readonly tenantSemaphore = new FairSemaphore({
    resource: 'calls to Upwork',
    perKey: CALLS_PER_TENANT,
    maxWaitingPerKey: MAX_WAITING_PER_TENANT,
  });

  constructor(
    private readonly limiter: UpworkRateLimiterService,
    private readonly config: Config,
  ) {}

  /**
   * Runs an operation and returns its data. Must not be called inside a unit of work.
   * @throws UpworkError: `refused` (the access token is invalid), `limited`, `unavailable`, `unusable` (HTML, partial
   *   errors, an unexpected shape)
   */
  async call<Schema extends z.ZodType>(
    document: UpworkDocument<Schema>,
    variables: Readonly<Record<string, unknown>>,
    caller: UpworkCaller,
  ): Promise<z.output<Schema>> {
    // Built before the attempts: a request that cannot be sent is not a failure of Upwork.
    const request = this.buildRequest(document, variables, caller);
    for (let attempt = 0; ; attempt++) {
      try {
        const answer = await this.tenantSemaphore.run(caller.userId, () =>
          this.attempt(document.name, request, caller.userId),
        );
        return parseData(document, answer);
      } catch (error) {
        const pause = computeRetryDelay(attempt, error);
        if (pause === undefined) throw error;
        await sleep(pause);
      }
    }
  }

  private async attempt(name: string, request: RequestInit, userId: number): Promise<unknown> {
    const delayMs = this.breaker.getDelayMs(userId);
    if (delayMs > 0)
      throw new UpworkError('unavailable', 'Upwork is not answering. Calls resume automatically', {
        retryAfterMs: delayMs,
      });
    await this.limiter.acquire();
    try {
      const answer = await this.send(name, request);
      this.breaker.recordSuccess(userId);
      return answer;
    } catch (error) {
      if (error instanceof UpworkError && error.kind === 'unavailable') this.breaker.recordFailure(userId);
      else this.breaker.recordSuccess(userId);
      if (error instanceof UpworkError && error.kind === 'limited')
        await this.limiter.pause(error.retryAfterMs ?? 1_000);
      throw error;
    }
  }

  private async send(name: string, request: RequestInit): Promise<unknown> {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(this.config.upwork.apiUrl, { ...request, signal }).catch((cause: unknown) => {
      throw new UpworkError('unavailable', 'Upwork could not be reached', { cause });
    });
    const body = await response.text().catch((cause: unknown) => {
      throw new UpworkError('unavailable', "Upwork's answer broke off", { cause });
    });
    return parseResponse(name, response, body);
  }

  private buildRequest(
    { name, text }: UpworkDocument<z.ZodType>,
    variables: Readonly<Record<string, unknown>>,
    { accessToken, organizationId }: UpworkCaller,
  ): RequestInit {
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json',
      authorization: `Bearer ${assertHeaderValue('access token', accessToken)}`,
      ...(organizationId !== null && { 'x-upwork-api-tenantid': assertHeaderValue('organizationId', organizationId) }),
    };
    return {
      method: 'POST',
      redirect: 'manual',
      headers,
      body: JSON.stringify({ operationName: name, query: text, variables }),
    };
  }
}

/** Checks a stored value: rows older than the validation of the DTO may contain anything. */
function assertHeaderValue(what: string, value: string): string {
  if (HEADER_TOKEN.test(value)) return value;
  throw new UpworkError('unusable', `The connection's ${what} cannot be sent to Upwork. Connect Upwork again.`);
}

function parseResponse(name: string, { status, headers }: Response, body: string): unknown {
  if (status === 429)
    throw new UpworkError('limited', 'Upwork allows no more calls for now', {
      retryAfterMs: readRetryAfterMs(headers),
    });
  if (status >= 500)
    throw new UpworkError('unavailable', `Upwork answered ${status}`, { retryAfterMs: readRetryAfterMs(headers) });
  if (status === 401) throw new UpworkError('refused', 'Upwork answered 401: the access token is invalid');
  if (status === 403)
    throw new UpworkError('unusable', `${name}: Upwork answered 403: the connection lacks permission`);
  const type = headers.get('content-type') ?? 'nothing';
  if (!/\bjson\b/i.test(type))
    throw new UpworkError(
      'unusable',
      `${name}: Upwork answered ${status} with ${type.split(';', 1)[0]} instead of JSON`,
    );
  try {
    return JSON.parse(body);
  } catch {
    throw new UpworkError('unusable', `${name}: Upwork's answer is not valid JSON`);
  }
}

/**
 * Returns the data of an answer. Data with a valid shape is used even beside errors: Upwork omits what it could not
 * read. Error messages may quote texts of the user, so only their paths are kept.
 */
function parseData<Schema extends z.ZodType>(
  { name, data: schema }: UpworkDocument<Schema>,
  answer: unknown,
): z.output<Schema> {
  const envelope = responseSchema.safeParse(answer);
  if (!envelope.success) throw new UpworkError('unusable', `${name}: Upwork's answer is not a GraphQL response`);
  const { data, errors } = envelope.data;
  const [error] = errors ?? [];
  const parsed = schema.safeParse(data);
  // The null of a failed operation is not the null of an empty list.
  if (parsed.success && !(error && isEmpty(data))) return parsed.data;
  if (error)
    throw new UpworkError(
      'unusable',
      `${name}: Upwork reports an error at ${error.path?.join('.') ?? 'the operation'}`,
    );
  const where = parsed.error?.issues[0]?.path.join('.');
  throw new UpworkError(
    'unusable',
    `${name}: Upwork's answer has an unexpected shape at ${where === '' ? 'its top' : where}`,
  );
}

/** Returns whether an answer has a value for none of its operations. */
function isEmpty(data: unknown): boolean {
  return Object.values(data ?? {}).every((value) => value === null);
}

/** Returns the delay before the next attempt; undefined when there is none. */
function computeRetryDelay(attempt: number, error: unknown): number | undefined {
  const base = RETRY_DELAYS_MS[attempt];
  if (base === undefined || !(error instanceof UpworkError)) return undefined;
  if (error.kind !== 'unavailable' && error.kind !== 'limited') return undefined;
  const pause = error.retryAfterMs ?? base * (0.5 + Math.random() / 2);
  return pause > MAX_SLEEP_MS ? undefined : pause;
}

/** Page of a GraphQL connection. */
export interface ConnectionPage<Node> {
  readonly nodes: readonly Node[];
  /** Number of further nodes that could not be read. */
  readonly unreadable: number;
  /** Cursor of the next page; null on a page that is known to be the last. */
  readonly next: string | null;
}

/** Reads up to `maxPages` pages. On the last one Upwork may repeat the cursor, which ends the reading. */
export async function* readPages<Node>(
  maxPages: number,
  read: (after: string | undefined) => Promise<ConnectionPage<Node>>,
): AsyncGenerator<ConnectionPage<Node>> {
  let after: string | undefined;
  for (let n = 0; n < maxPages; n++) {
    const page: ConnectionPage<Node> = await read(after);
    yield page;
    if (page.next === null || page.next === after) return;
    after = page.next;
  }
}

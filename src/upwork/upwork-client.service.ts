import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { FairSemaphore } from '../platform/concurrency/fair-semaphore';
import { Config } from '../platform/config/config';
import { HEADER_TOKEN } from '../platform/http/edge/header-values';
import { CircuitBreaker } from './circuit-breaker';
import type { UpworkDocument } from './upwork.documents';
import { UpworkRateLimiterService } from './upwork-rate-limiter.service';
import { readRetryAfterMs, UpworkError } from './upwork.error';

/** For whom a call is made. */
export interface UpworkCaller {
  /** The tenant here: failures and turns are counted for each. */
  readonly userId: number;
  readonly accessToken: string;
  /** The tenant at Upwork; null lets Upwork choose. */
  readonly organizationId: string | null;
}

const TIMEOUT_MS = 15_000;

/** Calls of one tenant at once. */
const CALLS_PER_TENANT = 2;

/** More calls than this of one tenant wait for a turn only by mistake. */
const MAX_WAITING_PER_TENANT = 100;

/** Pauses before the second and the third try, less up to half. */
const RETRY_DELAYS_MS = [500, 2_000];

/** A longer pause that Upwork asks for is the caller's to keep, not ours to sleep through. */
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
 * Upwork's GraphQL API: one rate over all processes in which tenants take turns, a time limit, retries with jitter, a
 * circuit breaker, and answers checked against what our documents expect. It only reads, so a repeated call does no harm.
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
   * Runs an operation and returns its data. Never to be called inside a unit of work.
   * @throws UpworkError: `refused` (the access token is not good), `limited`, `unavailable`, `unusable` (HTML, partial
   *   errors, an answer of another shape)
   */
  async call<Schema extends z.ZodType>(
    document: UpworkDocument<Schema>,
    variables: Readonly<Record<string, unknown>>,
    caller: UpworkCaller,
  ): Promise<z.output<Schema>> {
    // Built outside of the tries: what cannot be sent is no failure of Upwork.
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
    if (delayMs > 0) throw new UpworkError('unavailable', 'Upwork does not answer just now', { retryAfterMs: delayMs });
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

/** Rows older than the rule of the DTO may hold anything. */
function assertHeaderValue(what: string, value: string): string {
  if (HEADER_TOKEN.test(value)) return value;
  throw new UpworkError('unusable', `The connection's ${what} cannot be sent to Upwork. Connect Upwork again.`);
}

function parseResponse(name: string, { status, headers }: Response, body: string): unknown {
  if (status === 429)
    throw new UpworkError('limited', 'Upwork allows no more calls just now', {
      retryAfterMs: readRetryAfterMs(headers),
    });
  if (status >= 500)
    throw new UpworkError('unavailable', `Upwork answered ${status}`, { retryAfterMs: readRetryAfterMs(headers) });
  if (status === 401) throw new UpworkError('refused', 'Upwork answered 401: the access token is not good');
  if (status === 403) throw new UpworkError('unusable', `${name}: Upwork answered 403: the connection may not do this`);
  const type = headers.get('content-type') ?? 'nothing';
  if (!/\bjson\b/i.test(type))
    throw new UpworkError(
      'unusable',
      `${name}: Upwork answered ${status} with ${type.split(';', 1)[0]} instead of JSON`,
    );
  try {
    return JSON.parse(body);
  } catch {
    throw new UpworkError('unusable', `${name}: Upwork's answer is broken JSON`);
  }
}

/**
 * Returns the data of an answer. With errors beside it the data counts, if it has our shape: Upwork leaves out what it
 * could not read. What Upwork says of errors may quote texts of the user, so only where they are goes on.
 */
function parseData<Schema extends z.ZodType>(
  { name, data: schema }: UpworkDocument<Schema>,
  answer: unknown,
): z.output<Schema> {
  const envelope = responseSchema.safeParse(answer);
  if (!envelope.success) throw new UpworkError('unusable', `${name}: Upwork's answer is no GraphQL answer`);
  const { data, errors } = envelope.data;
  const [error] = errors ?? [];
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  if (error)
    throw new UpworkError(
      'unusable',
      `${name}: Upwork reports an error at ${error.path?.join('.') ?? 'the operation'}`,
    );
  const where = parsed.error.issues[0]?.path.join('.');
  throw new UpworkError(
    'unusable',
    `${name}: Upwork's answer has another shape at ${where === '' ? 'its top' : where}`,
  );
}

/** How long to wait before another try; undefined when there is none. */
function computeRetryDelay(attempt: number, error: unknown): number | undefined {
  const base = RETRY_DELAYS_MS[attempt];
  if (base === undefined || !(error instanceof UpworkError)) return undefined;
  if (error.kind !== 'unavailable' && error.kind !== 'limited') return undefined;
  const pause = error.retryAfterMs ?? base * (0.5 + Math.random() / 2);
  return pause > MAX_SLEEP_MS ? undefined : pause;
}

/** One page of a GraphQL connection. */
export interface ConnectionPage<Node> {
  readonly nodes: readonly Node[];
  /** How many nodes more there are that cannot be read. */
  readonly unreadable: number;
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor?: string | null };
}

/** Reads page after page, at most `maxPages`; a cursor that does not move ends it as an error, not as a loop. */
export async function* readPages<Node>(
  maxPages: number,
  read: (after: string | null) => Promise<ConnectionPage<Node>>,
): AsyncGenerator<ConnectionPage<Node>> {
  let after: string | null = null;
  for (let n = 0; n < maxPages; n++) {
    const page: ConnectionPage<Node> = await read(after);
    yield page;
    const { pageInfo } = page;
    if (!pageInfo.hasNextPage) return;
    const next: string | null = pageInfo.endCursor ?? null;
    if (next === null || next === after) throw new UpworkError('unusable', "Upwork's pages do not go on");
    after = next;
  }
}

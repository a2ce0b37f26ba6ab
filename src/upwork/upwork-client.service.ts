import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { FairSemaphore } from '../platform/concurrency/fair-semaphore';
import { Config } from '../platform/config/config';
import { HEADER_TOKEN } from '../platform/http/edge/header-values';
import { CircuitBreaker } from './circuit-breaker';
import type { UpworkAnswer, UpworkDocument } from './documents/upwork-document';
import { parseResponse, readAnswer } from './upwork-answers';
import { RefusedDocumentsService } from './refused-documents.service';
import { UpworkRateLimiterService } from './upwork-rate-limiter.service';
import { UpworkError } from './upwork.error';

export type { UpworkAnswer } from './documents/upwork-document';

/** Caller of the Upwork API. */
export interface UpworkCaller {
  /** Tenant; limits and failures are counted per tenant. */
  readonly userId: number;
  readonly accessToken: string;
  /** Organization at Upwork; null lets Upwork choose. */
  readonly organizationId: string | null;
  /** True for calls that no user waits for: they end before the day's calls do. */
  readonly isPolling?: boolean;
  /** True for calls of a task: they wait while many calls are waiting. */
  readonly isInBackground?: boolean;
}

const TIMEOUT_MS = 15_000;

/** Maximum concurrent calls per tenant. */
const CALLS_PER_TENANT = 2;

/** Maximum waiting calls per tenant; only a bug reaches it. */
const MAX_WAITING_PER_TENANT = 100;

/** Longer delays that Upwork asks for are left to the caller. */
const MAX_SLEEP_MS = 5_000;

/**
 * Client of Upwork's GraphQL API: one rate for all processes with fair sharing between tenants, a timeout, retries with
 * jitter, a circuit breaker, and validated answers. Only `callOnce` changes data on Upwork.
 */
@Injectable()
export class UpworkClientService {
  /** Delays before the second and third attempts, less up to half; shorter in tests. */
  retryDelaysMs = [500, 2_000];
  /** Pause of all calls when Upwork refuses one and does not say how long to wait; shorter in tests. */
  pauseMs = 1_000;
  private readonly tenantSemaphore = new FairSemaphore({
    resource: 'calls to Upwork',
    perKey: CALLS_PER_TENANT,
    maxWaitingPerKey: MAX_WAITING_PER_TENANT,
  });

  constructor(
    private readonly limiter: UpworkRateLimiterService,
    private readonly refusedDocuments: RefusedDocumentsService,
    private readonly breaker: CircuitBreaker,
    private readonly config: Config,
  ) {}

  /**
   * Runs an operation and returns its answer, which can be partial. Must not be called inside a unit of work.
   * @throws UpworkError of any kind; only `limited` and `unavailable` are retried
   */
  async call<Schema extends z.ZodType>(
    document: UpworkDocument<Schema>,
    variables: Readonly<Record<string, unknown>>,
    caller: UpworkCaller,
  ): Promise<UpworkAnswer<z.output<Schema>>> {
    // Built before the attempts: a request that cannot be sent is not a failure of Upwork.
    const request = this.buildRequest(document, variables, caller);
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.tenantSemaphore.run(caller.userId, () => this.attempt(document, request, caller));
      } catch (error) {
        const pause = computeRetryDelay(this.retryDelaysMs[attempt], error);
        if (pause === undefined) throw error;
        await sleep(pause);
      }
    }
  }

  /**
   * Runs a mutation: makes one attempt, because a repeated one can take effect twice.
   * @param beforeSend called right before the request leaves; its error prevents that
   * @throws UpworkError as `call`
   */
  callOnce<Schema extends z.ZodType>(
    document: UpworkDocument<Schema>,
    variables: Readonly<Record<string, unknown>>,
    caller: UpworkCaller,
    beforeSend: () => void,
  ): Promise<UpworkAnswer<z.output<Schema>>> {
    const request = this.buildRequest(document, variables, caller);
    return this.tenantSemaphore.run(caller.userId, () => this.attempt(document, request, caller, beforeSend));
  }

  private async attempt<Schema extends z.ZodType>(
    document: UpworkDocument<Schema>,
    request: RequestInit,
    { userId, isPolling, isInBackground }: UpworkCaller,
    beforeSend?: () => void,
  ): Promise<UpworkAnswer<z.output<Schema>>> {
    const delayMs = this.breaker.getDelayMs(userId);
    if (delayMs > 0)
      throw new UpworkError('unavailable', 'Upwork is not answering. Calls resume automatically', {
        retryAfterMs: delayMs,
      });
    await this.limiter.acquire({ isPolling, isInBackground });
    beforeSend?.();
    try {
      const answer = readAnswer(document, await this.exchange(document.name, request, userId));
      // The call had its effect: without Redis the alarm ends with a later one.
      await this.refusedDocuments.remove(document.name).catch(() => undefined);
      return answer;
    } catch (error) {
      if (error instanceof UpworkError) await this.recordFailure(document.name, error);
      throw error;
    }
  }

  private async recordFailure(name: string, { kind, retryAfterMs }: UpworkError): Promise<void> {
    if (kind === 'document_refused') await this.refusedDocuments.add(name);
    if (kind === 'limited') await this.limiter.pause(retryAfterMs ?? this.pauseMs);
  }

  /** Sends a request. An answer that reports errors is an answer: only 5xx and silence are failures of the service. */
  private async exchange(name: string, request: RequestInit, userId: number): Promise<unknown> {
    try {
      const answer = await this.send(name, request);
      this.breaker.recordSuccess(userId);
      return answer;
    } catch (error) {
      if (error instanceof UpworkError && error.kind === 'unavailable') this.breaker.recordFailure(userId);
      else this.breaker.recordSuccess(userId);
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
      // Proxies in front of Upwork suspect clients without a name.
      'user-agent': 'Gigvault',
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

/** Returns the delay before the next attempt; undefined when there is none. */
function computeRetryDelay(base: number | undefined, error: unknown): number | undefined {
  if (base === undefined || !(error instanceof UpworkError) || !error.isTransient) return undefined;
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

/**
 * Reads up to `maxPages` pages, from the cursor `after` or the first one. On the last one Upwork may repeat the cursor,
 * which ends the reading.
 */
export async function* readPages<Node>(
  maxPages: number,
  read: (after: string | undefined) => Promise<ConnectionPage<Node>>,
  after?: string,
): AsyncGenerator<ConnectionPage<Node>> {
  for (let n = 0; n < maxPages; n++) {
    const page: ConnectionPage<Node> = await read(after);
    yield page;
    if (page.next === null || page.next === after) return;
    after = page.next;
  }
}

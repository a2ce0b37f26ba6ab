import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Config } from '../platform/config/config';
import { CircuitBreaker } from './circuit-breaker';
import type { UpworkDocument } from './upwork-document';
import { UpworkLimiter } from './upwork-limiter.service';
import { retryAfterOf, UpworkError } from './upwork.error';

/** For whom a call is made. */
export interface UpworkCaller {
  readonly accessToken: string;
  /** The tenant at Upwork; null lets Upwork choose. */
  readonly organizationId: string | null;
}

const TIMEOUT_MS = 15_000;

/** Pauses before the second and the third try, less up to half. */
const RETRY_AFTER_MS = [500, 2_000];

/** A longer pause that Upwork asks for is the caller's to keep, not ours to sleep through. */
const MAX_SLEEP_MS = 5_000;

const answerSchema = z.object({
  data: z.unknown().optional(),
  errors: z.array(z.object({ message: z.string(), path: z.array(z.union([z.string(), z.number()])).optional() })).optional(),
});

/**
 * Upwork's GraphQL API: one rate over all processes, a time limit, retries with jitter, a circuit breaker, and answers
 * checked against what our documents expect. It only reads, so a repeated call does no harm.
 */
@Injectable()
export class UpworkClient {
  private readonly breaker = new CircuitBreaker();

  constructor(
    private readonly limiter: UpworkLimiter,
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
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.once(document, variables, caller);
      } catch (error) {
        const pause = pauseBefore(attempt, error);
        if (pause === undefined) throw error;
        await sleep(pause);
      }
    }
  }

  private async once<Schema extends z.ZodType>(
    document: UpworkDocument<Schema>,
    variables: Readonly<Record<string, unknown>>,
    caller: UpworkCaller,
  ): Promise<z.output<Schema>> {
    const { restMs } = this.breaker;
    if (restMs > 0) throw new UpworkError('unavailable', 'Upwork does not answer just now', { retryAfterMs: restMs });
    await this.limiter.turn();
    try {
      const data = dataOf(document, await this.send(document, variables, caller));
      this.breaker.succeeded();
      return data;
    } catch (error) {
      if (error instanceof UpworkError && error.kind === 'unavailable') this.breaker.failed();
      else this.breaker.succeeded();
      if (error instanceof UpworkError && error.kind === 'limited') await this.limiter.pause(error.retryAfterMs ?? 1_000);
      throw error;
    }
  }

  private async send(
    { name, text }: UpworkDocument<z.ZodType>,
    variables: Readonly<Record<string, unknown>>,
    { accessToken, organizationId }: UpworkCaller,
  ): Promise<unknown> {
    const response = await fetch(this.config.upwork.apiUrl, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        authorization: `Bearer ${accessToken}`,
        ...(organizationId !== null && { 'x-upwork-api-tenantid': organizationId }),
      },
      body: JSON.stringify({ operationName: name, query: text, variables }),
    }).catch((cause: unknown) => {
      throw new UpworkError('unavailable', 'Upwork could not be reached', { cause });
    });
    const body = await response.text().catch((cause: unknown) => {
      throw new UpworkError('unavailable', "Upwork's answer broke off", { cause });
    });
    return parse(name, response, body);
  }
}

function parse(name: string, { status, headers }: Response, body: string): unknown {
  if (status === 429) throw new UpworkError('limited', 'Upwork allows no more calls just now', { retryAfterMs: retryAfterOf(headers) });
  if (status >= 500) throw new UpworkError('unavailable', `Upwork answered ${status}`, { retryAfterMs: retryAfterOf(headers) });
  if (status === 401) throw new UpworkError('refused', 'Upwork answered 401: the access token is not good');
  if (status === 403) throw new UpworkError('unusable', `${name}: Upwork answered 403: the connection may not do this`);
  const type = headers.get('content-type') ?? 'nothing';
  if (!/\bjson\b/i.test(type)) throw new UpworkError('unusable', `${name}: Upwork answered ${status} with ${type.split(';', 1)[0]} instead of JSON`);
  try {
    return JSON.parse(body);
  } catch {
    throw new UpworkError('unusable', `${name}: Upwork's answer is broken JSON`);
  }
}

/** What Upwork says of errors may quote texts of the user; only where they are goes on. */
function dataOf<Schema extends z.ZodType>(document: UpworkDocument<Schema>, answer: unknown): z.output<Schema> {
  const { name } = document;
  const envelope = answerSchema.safeParse(answer);
  if (!envelope.success) throw new UpworkError('unusable', `${name}: Upwork's answer is no GraphQL answer`);
  const [error] = envelope.data.errors ?? [];
  if (error) throw new UpworkError('unusable', `${name}: Upwork reports an error at ${error.path?.join('.') ?? 'the operation'}`);
  const data = document.data.safeParse(envelope.data.data);
  if (data.success) return data.data;
  const where = data.error.issues[0]?.path.join('.');
  throw new UpworkError('unusable', `${name}: Upwork's answer has another shape at ${where === '' ? 'its top' : where}`);
}

/** How long to wait before another try; undefined when there is none. */
function pauseBefore(attempt: number, error: unknown): number | undefined {
  const base = RETRY_AFTER_MS[attempt];
  if (base === undefined || !(error instanceof UpworkError)) return undefined;
  if (error.kind !== 'unavailable' && error.kind !== 'limited') return undefined;
  const pause = error.retryAfterMs ?? base * (0.5 + Math.random() / 2);
  return pause > MAX_SLEEP_MS ? undefined : pause;
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerResponse } from 'node:http';

/** What can be made to go wrong: `lost` does the work and cuts the connection before the answer; `gateway` is 502 in HTML; `none` lets one call pass. */
export const FAULTS = ['none', '429', '500', 'gateway', 'html', 'cut', 'lost', 'hang', 'empty'] as const;
/** One of FAULTS. */
export type Fault = (typeof FAULTS)[number];

/** The two doors of the fake. */
export type Endpoint = 'token' | 'graphql';

/** Faults that wait for their calls, in order. */
export class FakeFaults {
  /** Retry-After of the 429s that are yet to come: seconds, or a date. */
  retryAfter = '1';
  private readonly pending: Record<Endpoint, Fault[]> = { token: [], graphql: [] };

  /** The next `times` calls of a door go wrong. */
  schedule(door: Endpoint, fault: Fault, times = 1): void {
    this.pending[door].push(...Array.from({ length: times }, () => fault));
  }

  clear(): void {
    this.pending.token = [];
    this.pending.graphql = [];
    this.retryAfter = '1';
  }

  take(door: Endpoint): Exclude<Fault, 'none'> | undefined {
    const fault = this.pending[door].shift();
    return fault === 'none' ? undefined : fault;
  }
}

/** Answers a call as the fault says; `work` is what the call would have done. */
export async function simulateFault(
  fault: Exclude<Fault, 'none'>,
  response: ServerResponse,
  work: () => unknown,
  retryAfter = '1',
): Promise<void> {
  switch (fault) {
    case '429':
      response.writeHead(429, { 'retry-after': retryAfter }).end();
      return;
    case '500':
      response.writeHead(503).end('out of order');
      return;
    case 'gateway':
      response.writeHead(502, { 'content-type': 'text/html' }).end('<html><body>Bad gateway</body></html>');
      return;
    case 'html':
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end('<html><body>Please verify that you are human</body></html>');
      return;
    case 'empty':
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      return;
    case 'hang':
      await sleep(60_000, undefined, { ref: false });
      return;
    case 'lost':
      await work();
      response.destroy();
      return;
    case 'cut':
      response.destroy();
  }
}

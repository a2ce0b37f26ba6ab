import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerResponse } from 'node:http';
import type { FakeData } from './fake-schema';

type FakeEdge = NonNullable<FakeData[string]['edges'][number]>;

/**
 * The faults: `lost` does the work and closes the connection without an answer, `proxy` is a 403 in HTML, `gateway` a
 * 502 in HTML, `none` passes.
 */
export const FAULTS = ['none', '429', '500', 'proxy', 'gateway', 'html', 'cut', 'lost', 'hang', 'empty'] as const;
/** One of FAULTS. */
export type Fault = (typeof FAULTS)[number];

/** The two endpoints of the fake that can fail. */
export type Endpoint = 'token' | 'graphql';

/** Queues of faults, by endpoint, for the next calls. */
export class FakeFaults {
  /** Retry-After of further 429s, seconds or a date. Upwork does not promise the header. */
  retryAfter: string | undefined;
  private readonly pending: Record<Endpoint, Fault[]> = { token: [], graphql: [] };

  /** Schedules a fault for the next `times` calls of an endpoint. */
  schedule(endpoint: Endpoint, fault: Fault, times = 1): void {
    this.pending[endpoint].push(...Array.from({ length: times }, () => fault));
  }

  clear(): void {
    this.pending.token = [];
    this.pending.graphql = [];
    this.retryAfter = undefined;
  }

  take(endpoint: Endpoint): Exclude<Fault, 'none'> | undefined {
    const fault = this.pending[endpoint].shift();
    return fault === 'none' ? undefined : fault;
  }
}

/** Breaks a share of all nodes, each in one of these forms: always the same nodes for a seed. */
export class BrokenNodes {
  /** From 0 to 1. */
  share = 0;
  seed = 1;

  /** Returns whether the node with this id is broken. */
  has(id: string): boolean {
    return this.draw(id).readUInt32BE(0) / 2 ** 32 < this.share;
  }

  /** Replaces the broken nodes of all lists. */
  apply(data: FakeData): FakeData {
    const lists = Object.entries(data).map(([name, list]) => {
      if (!Array.isArray(list?.edges)) return [name, list] as const;
      return [name, { ...list, edges: list.edges.map((edge) => edge && this.breakEdge(edge)) }] as const;
    });
    return Object.fromEntries(lists);
  }

  private breakEdge({ node }: FakeEdge): FakeEdge {
    return { node: node && this.break(node) };
  }

  private break(node: Record<string, unknown>): Record<string, unknown> | null {
    const id = String(node['id']);
    if (!this.has(id)) return node;
    const forms = [null, {}, { ...node, id: null }, { ...node, id: { value: id } }];
    return forms[this.draw(id).readUInt8(4) % forms.length]!;
  }

  private draw(id: string): Buffer {
    return createHash('sha256').update(`${this.seed}:${id}`).digest();
  }
}

/** Answers a call with the fault; `work` is the effect of the call. */
export async function simulateFault(
  fault: Exclude<Fault, 'none'>,
  response: ServerResponse,
  work: () => unknown,
  retryAfter?: string,
): Promise<void> {
  switch (fault) {
    case '429':
      response.writeHead(429, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end();
      return;
    case '500':
      response.writeHead(503).end('out of order');
      return;
    case 'proxy':
      response.writeHead(403, { 'content-type': 'text/html' }).end('<!DOCTYPE html><title>Just a moment...</title>');
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

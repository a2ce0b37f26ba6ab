import { randomUUID } from 'node:crypto';
import { pause } from '../../support/wait-for';
import type { HaInstallation } from './ha-installation';

/** A request without a response within this time counts as failed. */
const TIMEOUT_MS = 60_000;
const PAUSE_MS = 20;

/** A request and its outcome. */
export interface ProxiedRequest {
  readonly client: number;
  readonly begunAt: number;
  readonly endedAt: number;
  /** 0 is no response. */
  readonly status: number;
  /** True for a response 409 `idempotency.in_progress`: HAProxy had repeated the request. The client repeats it too. */
  readonly isRepeated: boolean;
}

/** Clients behind HAProxy that create a job with an Idempotency-Key and read it, one request after the other. */
export class ProxiedLoad {
  readonly requests: ProxiedRequest[] = [];
  /** Version 1 of each job that was acknowledged. */
  readonly acknowledged = new Map<number, number>();
  private readonly clients: Promise<void>[] = [];
  private isOver = false;

  constructor(private readonly installation: HaInstallation) {}

  /** Signs up each client, and begins. */
  async start(clients: number): Promise<void> {
    const tokens: string[] = [];
    for (let i = 0; i < clients; i += 1) tokens.push(await this.installation.signUp());
    this.clients.push(...tokens.map((token, client) => this.run(token, client)));
  }

  /** Returns whether each client has had this many successes begun after a time. */
  hasSucceededSince(time: number, count: number): boolean {
    const successes = this.requests.filter(({ begunAt, status }) => begunAt >= time && isSuccess(status));
    return this.clients.every((_, client) => successes.filter((request) => request.client === client).length >= count);
  }

  /** Waits until each client has finished its request. */
  async stop(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.clients);
  }

  private async run(token: string, client: number): Promise<void> {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    while (!this.isOver) {
      const key = randomUUID();
      const created = await this.send(client, '/v1/jobs', {
        method: 'POST',
        headers: { ...headers, 'idempotency-key': key },
        body: JSON.stringify({ title: `Written as ${key}` }),
      });
      if (created !== undefined) {
        this.acknowledged.set(created.id, 1);
        await this.send(client, `/v1/jobs/${created.id}`, { headers });
      }
      await pause(PAUSE_MS, 'the clients send at a fixed rate');
    }
  }

  private async send(client: number, path: string, init: RequestInit): Promise<{ id: number } | undefined> {
    const begunAt = performance.now();
    let status = 0;
    let isRepeated = false;
    try {
      const response = await fetch(`${this.installation.url}${path}`, {
        ...init,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      status = response.status;
      // HAProxy's own 503 is no JSON.
      const body = (await response.json()) as { id: number; code?: string };
      isRepeated = body.code === 'idempotency.in_progress';
      if (isRepeated) return await this.repeat(client, path, init, response.headers);
      return isSuccess(status) ? body : undefined;
    } catch {
      return undefined;
    } finally {
      this.requests.push({ client, begunAt, endedAt: performance.now(), status, isRepeated });
    }
  }

  /** Sends a request again after the time that the response names. */
  private async repeat(
    client: number,
    path: string,
    init: RequestInit,
    headers: Headers,
  ): Promise<{ id: number } | undefined> {
    await pause(Number(headers.get('retry-after')) * 1_000, 'Retry-After');
    return this.send(client, path, init);
  }
}

/** Returns whether a status is 2xx. */
export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

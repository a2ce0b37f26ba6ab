import { randomBytes } from 'node:crypto';
import type { StressAccount, ApiProcess } from '../api-process';
import { pause } from '../../support/wait-for';

/** A client without a response within this time counts as unanswered. */
const TIMEOUT_MS = 60_000;

/** The pause between two requests of a client, so that a refusing server is not called in a tight loop. */
const PAUSE_MS = 20;
const PROBE_PAUSE_MS = 250;
const LOAD_RATE = 'the clients send at a fixed rate';

/** A request and its outcome. */
export interface Attempt {
  readonly kind: 'write' | 'sign-in' | 'probe';
  /** Each client waits for a response before its next request. */
  readonly client: number;
  readonly begunAt: number;
  readonly endedAt: number;
  /** 0 is no response. */
  readonly status: number;
  readonly hasRetryAfter: boolean;
}

/** Writers, a client that signs in and a probe, each with one request after the other until the end. */
export class WriteLoad {
  readonly attempts: Attempt[] = [];
  /** The last acknowledged version by job id. */
  readonly acknowledged = new Map<number, number>();
  private isOver = false;
  private readonly clients: Promise<void>[] = [];
  private readonly listeners = new Set<(attempt: Attempt) => void>();

  constructor(private readonly api: ApiProcess) {}

  /** Creates an account for each writer, and begins. */
  async start(writers: number): Promise<void> {
    const tokens: string[] = [];
    for (let i = 0; i < writers; i++) tokens.push(await (await this.api.createAccount()).signIn());
    const account = await this.api.createAccount();
    this.clients.push(...tokens.map((token, client) => this.write(token, client)), this.signIn(account), this.probe());
  }

  /** Settles with the next matching attempt. */
  next(isIt: (attempt: Attempt) => boolean): Promise<Attempt> {
    return new Promise((done) => {
      const listener = (attempt: Attempt): void => {
        if (!isIt(attempt)) return;
        this.listeners.delete(listener);
        done(attempt);
      };
      this.listeners.add(listener);
    });
  }

  /** Waits until every client has finished its request. */
  async stop(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.clients);
  }

  /** Creates jobs and changes each once. */
  private async write(token: string, client: number): Promise<void> {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    while (!this.isOver) {
      // Not compressible, so that tables grow and a full disk has an effect.
      const body = JSON.stringify({
        title: 'Written under faults',
        description: randomBytes(2_000).toString('base64'),
      });
      const created = await this.attempt('write', client, '/v1/jobs', { method: 'POST', headers, body });
      if (created) {
        this.acknowledged.set(created.id, created.version);
        const patch = { method: 'PATCH', headers, body: '{"isFavorite":true}' };
        const changed = await this.attempt('write', client, `/v1/jobs/${created.id}`, patch);
        if (changed) this.acknowledged.set(changed.id, changed.version);
      }
      await pause(PAUSE_MS, LOAD_RATE);
    }
  }

  private async signIn({ email, password }: StressAccount): Promise<void> {
    const request = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, password }),
    };
    for (; !this.isOver; await pause(PROBE_PAUSE_MS, LOAD_RATE))
      await this.attempt('sign-in', 0, '/v1/auth/login', request);
  }

  private async probe(): Promise<void> {
    for (; !this.isOver; await pause(PROBE_PAUSE_MS, LOAD_RATE)) await this.attempt('probe', 0, '/health/ready', {});
  }

  private async attempt(
    kind: Attempt['kind'],
    client: number,
    path: string,
    request: RequestInit,
  ): Promise<{ id: number; version: number } | undefined> {
    const begunAt = performance.now();
    let answer: { response: Response; text: string } | undefined;
    try {
      const response = await fetch(this.api.url + path, { ...request, signal: AbortSignal.timeout(TIMEOUT_MS) });
      answer = { response, text: await response.text() };
    } catch {
      // No response.
    }
    const status = answer?.response.status ?? 0;
    const hasRetryAfter = answer?.response.headers.has('retry-after') ?? false;
    const attempt = { kind, client, begunAt, endedAt: performance.now(), status, hasRetryAfter };
    this.attempts.push(attempt);
    for (const listener of this.listeners) listener(attempt);
    return answer?.response.ok ? (JSON.parse(answer.text) as { id: number; version: number }) : undefined;
  }
}

import type { StressAccount } from '../api-process';
import { pause } from '../../support/wait-for';

/** Two seconds have about 13 requests, well under the product's limit for one user. */
const PAUSE_MS = 150;

/** One request of this number is a sign-in. */
const SIGN_IN_EVERY = 40;
const TIMEOUT_MS = 120_000;

/** How well a user was served. */
export interface ServiceLevel {
  readonly requests: number;
  /** Responses by status; 0 is none. */
  readonly answers: Readonly<Record<string, number>>;
  /** The share of 2xx responses. */
  readonly served: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly slowest: string;
}

/** A user who reads, lists, creates and changes jobs, one request after the other, and sometimes signs in. */
export class NormalUser {
  private token = '';
  private ids: number[] = [];
  private turn = 0;

  constructor(
    private readonly url: string,
    private readonly account: StressAccount,
  ) {}

  /** Works until the promise settles; returns how well the user was served. */
  async workUntil(end: Promise<unknown>): Promise<ServiceLevel> {
    const taken: { what: string; ms: number; status: number }[] = [];
    let isOver = false;
    void end.finally(() => (isOver = true));
    while (!isOver) {
      const began = performance.now();
      const [what, send] = this.next();
      const status = await send();
      taken.push({ what, ms: performance.now() - began, status });
      await Promise.race([pause(PAUSE_MS, 'a person waits between two requests'), end]);
    }
    const answers: Record<string, number> = {};
    for (const { status } of taken) answers[status] = (answers[status] ?? 0) + 1;
    taken.sort((a, b) => a.ms - b.ms);
    const at = (share: number): number => Math.round(taken[Math.floor(taken.length * share)]?.ms ?? 0);
    const last = taken.at(-1);
    return {
      requests: taken.length,
      answers,
      served: taken.filter(({ status }) => status >= 200 && status < 300).length / taken.length,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      slowest: `${last?.what} ${Math.round(last?.ms ?? 0)} ms`,
    };
  }

  private next(): [string, () => Promise<number>] {
    this.turn += 1;
    const id = this.ids[this.turn % this.ids.length];
    if (this.turn % SIGN_IN_EVERY === 1) return ['sign-in', () => this.signIn()];
    if (id === undefined || this.turn % 4 === 0) return ['create', () => this.create()];
    if (this.turn % 4 === 1) return ['list', () => this.send('GET', '/v1/jobs?limit=20')];
    if (this.turn % 4 === 2) return ['get', () => this.send('GET', `/v1/jobs/${id}`)];
    return ['patch', () => this.send('PATCH', `/v1/jobs/${id}`, { isFavorite: this.turn % 8 === 3 })];
  }

  private async signIn(): Promise<number> {
    const { email, password } = this.account;
    return this.send(
      'POST',
      '/v1/auth/login',
      { email, password },
      (body) => (this.token = (body as { accessToken: string }).accessToken),
    );
  }

  private create(): Promise<number> {
    return this.send('POST', '/v1/jobs', { title: `Job ${this.turn}` }, (body) =>
      this.ids.push((body as { id: number }).id),
    );
  }

  private async send(
    method: string,
    path: string,
    body?: object,
    take: (answer: unknown) => void = () => undefined,
  ): Promise<number> {
    try {
      const response = await fetch(this.url + path, {
        method,
        headers: {
          ...(this.token !== '' && { authorization: `Bearer ${this.token}` }),
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const answer: unknown = await response.json();
      if (response.ok) take(answer);
      return response.status;
    } catch {
      return 0;
    }
  }
}

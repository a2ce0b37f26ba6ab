import type { Answer } from '../../support/caller';
import { pause } from '../../support/wait-for';

/** Limits the rate of a refused client. */
const PAUSE_MS = 20;

/** The kind of a response: 2xx, the documented 503, or another. */
type Result = 'ok' | 'refused' | 'wrong';

/** Numbers of responses by kind. */
export type Counts = Readonly<Record<Result, number>>;

/** A client that sends one request after the other until it is stopped. */
export class RepeatingClient {
  readonly results: Result[] = [];
  readonly unexpected: string[] = [];
  private isOver = false;
  private sending: Promise<void> | undefined;

  constructor(private readonly send: () => Promise<Answer>) {}

  start(): void {
    this.sending = this.run();
  }

  get last(): Result | undefined {
    return this.results.at(-1);
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await this.sending;
  }

  private async run(): Promise<void> {
    for (; !this.isOver; await pause(PAUSE_MS, 'the clients send at a limited rate'))
      this.results.push(
        await this.send().then(
          (answer) => this.judge(answer),
          (error) => this.note(String(error)),
        ),
      );
  }

  private judge(answer: Answer): Result {
    if (isOk(answer)) return 'ok';
    return isRefusal(answer) ? 'refused' : this.note(`${answer.status} ${JSON.stringify(answer.body)}`);
  }

  private note(unexpected: string): Result {
    this.unexpected.push(unexpected);
    return 'wrong';
  }
}

/** Returns whether the response is 2xx. */
export function isOk({ status }: Answer): boolean {
  return status >= 200 && status < 300;
}

/** Returns whether a response is the documented problem, which may be repeated. */
function isRefusal({ status, headers, body }: Answer<{ type: string }>): boolean {
  if (status !== 503 || !headers.has('retry-after')) return false;
  const isProblem = headers.get('content-type')?.startsWith('application/problem+json') ?? false;
  return isProblem && body.type === '/docs/errors#service.unavailable';
}

/** Counts the responses of clients by kind. */
export function countResults(clients: readonly RepeatingClient[]): Counts {
  const counts = { ok: 0, refused: 0, wrong: 0 };
  for (const result of clients.flatMap(({ results }) => results)) counts[result] += 1;
  return counts;
}

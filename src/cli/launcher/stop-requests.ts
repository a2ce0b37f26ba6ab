/** npm passes on a Ctrl-C that the terminal has delivered already: one request, two signals. */
const DUPLICATE_SIGNAL_MS = 700;
const PARENT_POLL_MS = 500;

/**
 * Listens for requests to stop: Ctrl-C, SIGTERM, a closed terminal and, under npm, the end of npm. The first request
 * aborts `signal`; a later one calls `onRepeatedRequest`.
 */
export class StopRequests {
  /** Resolves at the first request. */
  readonly requested: Promise<void>;
  private readonly controller = new AbortController();
  private lastRequestAt = 0;

  constructor(private readonly onRepeatedRequest: () => void) {
    this.requested = new Promise((resolve) => this.signal.addEventListener('abort', () => resolve()));
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => this.handleRequest());
    if (process.env['npm_lifecycle_event'] !== undefined) this.pollParent();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  private handleRequest(): void {
    const now = Date.now();
    const isDuplicate = now - this.lastRequestAt < DUPLICATE_SIGNAL_MS;
    this.lastRequestAt = now;
    if (!this.signal.aborted) this.controller.abort();
    else if (!isDuplicate) this.onRepeatedRequest();
  }

  private pollParent(): void {
    const parent = process.ppid;
    const timer = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(timer);
      this.handleRequest();
    }, PARENT_POLL_MS);
    timer.unref();
  }
}

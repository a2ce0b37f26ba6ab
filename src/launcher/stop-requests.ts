/** npm passes a Ctrl-C on to us that the terminal has given us already: one wish, two signals. */
const ECHO_MS = 700;
const PARENT_LOOK_MS = 500;

/**
 * Listens to the wishes to stop: Ctrl-C, SIGTERM, a closed terminal, and, under npm, the end of npm's shell, which
 * does not pass a SIGTERM on. The first wish aborts `signal`; a later one calls `onHaste`.
 */
export class StopRequests {
  /** Settles at the first wish. */
  readonly first: Promise<void>;
  private readonly controller = new AbortController();
  private heardAt = 0;

  constructor(private readonly onHaste: () => void) {
    this.first = new Promise((resolve) => this.signal.addEventListener('abort', () => resolve()));
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => this.hear());
    if (process.env['npm_lifecycle_event'] !== undefined) this.watchParent();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  private hear(): void {
    const now = Date.now();
    const isEcho = now - this.heardAt < ECHO_MS;
    this.heardAt = now;
    if (!this.signal.aborted) this.controller.abort();
    else if (!isEcho) this.onHaste();
  }

  private watchParent(): void {
    const parent = process.ppid;
    const timer = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(timer);
      this.hear();
    }, PARENT_LOOK_MS);
    timer.unref();
  }
}

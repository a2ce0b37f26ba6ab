import type { Logger } from 'pino';
import { createLogger, escapeControlCharacters } from '../logging/logger';

/** Longest shutdown, without the shutdown delay; the drains take less. */
const END_LIMIT_MS = 25_000;

const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** An application that finishes its accepted work on close. */
export interface Closable {
  close(): Promise<void>;
}

/** Shutdown options of an application. */
export interface EndOptions {
  /** Called at the start of a shutdown, to make readiness fail. */
  readonly onEnding?: () => void;
  /** Delay between a stop signal and the close. A fault closes at once. */
  readonly delayMs?: number;
}

/** The parts of Node's process that the lifecycle uses. */
export type HostProcess = Pick<NodeJS.Process, 'on' | 'exit'>;

/**
 * Shuts a process down: with code 0 after a stop signal, with code 1 after an uncaught fault. Both finish accepted work
 * first, for at most 25 seconds. Further signals and faults change neither the order nor that limit.
 */
export class ProcessLifecycle {
  private app: Closable | undefined;
  private options: EndOptions = {};
  private exitCode: 0 | 1 | undefined;

  constructor(
    private readonly host: HostProcess = process,
    private readonly logger: Logger = createLogger('fatal'),
    private readonly endLimitMs = END_LIMIT_MS,
  ) {
    host.on('uncaughtException', (error) => this.fail('uncaughtException', error));
    host.on('unhandledRejection', (reason) => this.fail('unhandledRejection', reason));
  }

  /** Closes this application at shutdown. Before this call, a signal or fault ends the process at once. */
  manage(app: Closable, options: EndOptions = {}): void {
    this.app = app;
    this.options = options;
    for (const signal of STOP_SIGNALS) this.host.on(signal, () => void this.end(0, options.delayMs ?? 0));
  }

  private fail(event: string, reason: unknown): void {
    this.report(event, reason);
    void this.end(1, 0);
  }

  /** Logs a fault. A log that cannot be written (closed pipe) must not become the next fault. */
  private report(event: string, reason: unknown): void {
    const { message, stack } = reason instanceof Error ? reason : new Error(String(reason));
    try {
      this.logger.fatal({ source: ProcessLifecycle.name, event, stack }, escapeControlCharacters(message));
    } catch {
      // There is no other place to report it.
    }
  }

  private async end(exitCode: 0 | 1, delayMs: number): Promise<void> {
    const isFirst = this.exitCode === undefined;
    this.exitCode = exitCode || (this.exitCode ?? 0);
    if (!isFirst) return;
    const limit = setTimeout(() => this.host.exit(1), delayMs + this.endLimitMs);
    try {
      this.options.onEnding?.();
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      await this.app?.close();
    } catch (error) {
      this.report('close', error);
      this.exitCode = 1;
    }
    clearTimeout(limit);
    this.host.exit(this.exitCode);
  }
}

import type { Logger } from 'pino';
import { createLogger, printable } from '../logging/logger';

/** Longest time between the beginning of an end and the exit, besides the shutdown delay; the drains take less. */
const END_LIMIT_MS = 25_000;

const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** An application that finishes its accepted work when it is closed. */
export interface Closable {
  close(): Promise<void>;
}

/** How an application wants to end. */
export interface EndOptions {
  /** Called at once when the end begins; readiness turns not ready by it. */
  readonly onEnding?: () => void;
  /** Time between a stop signal and the close. A fault closes at once. */
  readonly delayMs?: number;
}

/** What of Node's process the lifecycle uses. */
export type HostProcess = Pick<NodeJS.Process, 'on' | 'exit'>;

/**
 * Ends a process in order: with code 0 after a stop signal, with code 1 after a fault that nothing caught. Both finish
 * accepted work first. A process that does not end within 25 seconds is ended without it; further signals and faults
 * change neither the order nor that limit.
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

  /** Ends the process by closing this application from now on; before, a signal or a fault ends it at once. */
  manage(app: Closable, options: EndOptions = {}): void {
    this.app = app;
    this.options = options;
    for (const signal of STOP_SIGNALS) this.host.on(signal, () => void this.end(0, options.delayMs ?? 0));
  }

  private fail(event: string, reason: unknown): void {
    this.report(event, reason);
    void this.end(1, 0);
  }

  /** A log that cannot be written, because its pipe is closed, must not become the next fault. */
  private report(event: string, reason: unknown): void {
    const { message, stack } = reason instanceof Error ? reason : new Error(String(reason));
    try {
      this.logger.fatal({ source: ProcessLifecycle.name, event, stack }, printable(message));
    } catch {
      // Nothing can be told.
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

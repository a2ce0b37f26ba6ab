import { Logger } from '@nestjs/common';
import { AppError } from '../platform/errors/app-error';
import { UpworkError } from '../upwork/upwork.error';

const MAX_REASON = 1_000;

/**
 * The parts of a synchronisation (searches, conversations, proposals). Each has its own fate: one that fails leaves the
 * others alone.
 */
export class SyncParts {
  private readonly logger = new Logger(SyncParts.name);
  private readonly errors: unknown[] = [];
  private count = 0;

  /**
   * Runs one part.
   * @returns why it failed; null when it succeeded
   * @throws what concerns all parts: a refused access token, a service of ours that is away
   */
  async run(name: string, work: () => Promise<void>): Promise<string | null> {
    this.count += 1;
    try {
      await work();
      return null;
    } catch (error) {
      if (error instanceof AppError || (error instanceof UpworkError && error.kind === 'refused')) throw error;
      if (!(error instanceof UpworkError)) this.logger.error(`${name}: ${String(error)}`);
      this.errors.push(error);
      return reasonOf(error);
    }
  }

  get failed(): number {
    return this.errors.length;
  }

  /** False when Upwork could not be asked for all parts: what was missed must be asked for again. */
  get isComplete(): boolean {
    return !this.errors.some((error) => error instanceof UpworkError && error.kind !== 'unusable');
  }

  /** Why parts failed, in words; null when all succeeded. @throws the first error when all parts failed */
  summary(): string | null {
    if (this.errors.length === 0) return null;
    if (this.errors.length === this.count) throw this.errors[0];
    return `${this.errors.length} of ${this.count} failed. The first: ${reasonOf(this.errors[0])}`.slice(0, MAX_REASON);
  }
}

/** Returns why something failed as its user may read it. */
export function reasonOf(error: unknown): string {
  if (error instanceof UpworkError || error instanceof AppError) return error.message.slice(0, MAX_REASON);
  return 'something went wrong on our side';
}

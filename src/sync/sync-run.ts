import { Logger } from '@nestjs/common';
import { AppError } from '../platform/errors/app-error';
import { UpworkError } from '../upwork/upwork.error';

/** Kinds of synchronisations; the CHECK of syncs.kind lists the same. */
export const SYNC_KINDS = ['jobs', 'proposals', 'messages'] as const;
/** One of SYNC_KINDS. */
export type SyncKind = (typeof SYNC_KINDS)[number];

/** Interval of each kind in seconds. */
export const SYNC_INTERVAL_SECONDS: Readonly<Record<SyncKind, number>> = { jobs: 900, proposals: 600, messages: 120 };

/** Counts of what a synchronisation did. */
export type SyncCounts = Readonly<Record<string, number>>;

/** Result of a run in which at least one part succeeded. */
export interface SyncResult {
  readonly counts: SyncCounts;
  /** Summary of the parts that failed. */
  readonly error: string | null;
  /** True when everything before the start of the run was read. */
  readonly isComplete: boolean;
}

/** Id of the task that runs due synchronisations; a user's request triggers it at once. */
export const SYNC_TASK_ID = 'sync-connections';

const MAX_REASON_LENGTH = 1_000;

/**
 * Runs the parts of a synchronisation (searches, conversations, proposals). A failed part does not affect the others.
 */
export class SyncRun {
  private readonly logger = new Logger(SyncRun.name);
  private readonly errors: unknown[] = [];
  private partCount = 0;

  /**
   * Runs one part.
   * @returns why it failed; null when it succeeded
   * @throws errors that concern all parts: a refused access token, an unavailable service of this installation
   */
  async runPart(name: string, work: () => Promise<void>): Promise<string | null> {
    this.partCount += 1;
    try {
      await work();
      return null;
    } catch (error) {
      if (error instanceof AppError || (error instanceof UpworkError && error.kind === 'refused')) throw error;
      if (!(error instanceof UpworkError)) this.logger.error(`${name}: ${String(error)}`);
      this.errors.push(error);
      return describeSyncError(error);
    }
  }

  get failedCount(): number {
    return this.errors.length;
  }

  /** False when Upwork was unreachable for a part: the next run must read it again. */
  get isComplete(): boolean {
    return !this.errors.some((error) => error instanceof UpworkError && error.kind !== 'unusable');
  }

  /** Summarizes why parts failed; null when all succeeded. @throws the first error when all parts failed */
  summarizeFailures(): string | null {
    if (this.errors.length === 0) return null;
    if (this.errors.length === this.partCount) throw this.errors[0];
    return `${this.errors.length} of ${this.partCount} failed. The first: ${describeSyncError(this.errors[0])}`.slice(
      0,
      MAX_REASON_LENGTH,
    );
  }
}

/** Describes an error for the user. */
export function describeSyncError(error: unknown): string {
  if (error instanceof UpworkError || error instanceof AppError) return error.message.slice(0, MAX_REASON_LENGTH);
  return 'An internal error occurred';
}

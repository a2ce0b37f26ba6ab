import { Logger } from '@nestjs/common';
import { AppError } from '../platform/errors/app-error';
import { UpworkError } from '../upwork/upwork.error';

/** What is synchronised of a connection; the CHECK of syncs.kind lists the same. */
export const SYNC_KINDS = ['jobs', 'proposals', 'messages'] as const;
/** One of SYNC_KINDS. */
export type SyncKind = (typeof SYNC_KINDS)[number];

/** How often each is brought up to date by itself, in seconds. */
export const SYNC_INTERVAL_SECONDS: Readonly<Record<SyncKind, number>> = { jobs: 900, proposals: 600, messages: 120 };

/** What a synchronisation did: how many. */
export type SyncCounts = Readonly<Record<string, number>>;

/** How a run ended whose parts did not all fail. */
export interface SyncResult {
  readonly figures: SyncCounts;
  /** Why some parts failed. */
  readonly error: string | null;
  /** Whether what is older than the run's start is known now. */
  readonly isComplete: boolean;
}

/** The task that runs what is due; a user's request starts it at once. */
export const SYNC_TASK_ID = 'sync-connections';

const MAX_REASON_LENGTH = 1_000;

/**
 * The parts of a synchronisation (searches, conversations, proposals). Each has its own fate: one that fails leaves the
 * others alone.
 */
export class SyncRun {
  private readonly logger = new Logger(SyncRun.name);
  private readonly errors: unknown[] = [];
  private partCount = 0;

  /**
   * Runs one part.
   * @returns why it failed; null when it succeeded
   * @throws what concerns all parts: a refused access token, a service of ours that is away
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

  /** False when Upwork could not be asked for all parts: what was missed must be asked for again. */
  get isComplete(): boolean {
    return !this.errors.some((error) => error instanceof UpworkError && error.kind !== 'unusable');
  }

  /** Why parts failed, in words; null when all succeeded. @throws the first error when all parts failed */
  summarizeFailures(): string | null {
    if (this.errors.length === 0) return null;
    if (this.errors.length === this.partCount) throw this.errors[0];
    return `${this.errors.length} of ${this.partCount} failed. The first: ${describeSyncError(this.errors[0])}`.slice(
      0,
      MAX_REASON_LENGTH,
    );
  }
}

/** Returns why something failed as its user may read it. */
export function describeSyncError(error: unknown): string {
  if (error instanceof UpworkError || error instanceof AppError) return error.message.slice(0, MAX_REASON_LENGTH);
  return 'something went wrong on our side';
}

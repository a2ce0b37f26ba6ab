import { Logger } from '@nestjs/common';
import { AppError } from '../platform/errors/app-error';
import type { UpworkAnswer, UpworkCaller } from '../upwork/upwork-client.service';
import { UpworkError, type UpworkErrorKind } from '../upwork/upwork.error';

/** Kinds of synchronisations; the CHECK of syncs.kind lists the same. */
export const SYNC_KINDS = ['jobs', 'proposals', 'messages'] as const;
/** One of SYNC_KINDS. */
export type SyncKind = (typeof SYNC_KINDS)[number];

/** Caller of the Upwork API in a synchronisation. */
export interface SyncCaller extends UpworkCaller {
  /** The connection. */
  readonly tokenId: number;
}

/** Counts of what a synchronisation did. */
export type SyncCounts = Readonly<Record<string, number>>;

/** Outcome of a run; `not_due` when it was not claimed. */
export interface SyncOutcome {
  readonly status: 'succeeded' | 'failed' | 'postponed' | 'not_due';
  /** Only of a success. */
  readonly counts?: SyncCounts;
}

/** How far a list was read. Times are in ISO 8601. */
export interface ListPosition {
  /** Changes up to this time are stored. */
  readonly readUntil: string | null;
  /** When the list was last read to its end. */
  readonly readWholeAt: string | null;
  /** Number of runs since then in which a part of the list could not be read. */
  readonly incompleteRuns: number;
}

/** Positions by the name of the list. */
export type ListPositions = Readonly<Record<string, ListPosition>>;

/** Result of a run in which at least one part succeeded. */
export interface SyncResult {
  readonly counts: SyncCounts;
  /** Summary of the parts that failed. */
  readonly error: string | null;
  /** True when everything before the start of the run was read. */
  readonly isComplete: boolean;
  /** What the API key may not read. */
  readonly missingPermissions: readonly string[];
  /** Documents that Upwork refused: no run can succeed before the operator updates them. */
  readonly refusedDocument: UpworkError | null;
  /** Only of proposals. */
  readonly listPositions?: ListPositions;
}

/** Id of the task that runs due synchronisations; a user's request triggers it at once. */
export const SYNC_TASK_ID = 'sync-connections';

const MAX_REASON_LENGTH = 1_000;

/** Kinds of failures that end the run: every further call would fail alike. */
const CONCERNS_ALL: ReadonlySet<UpworkErrorKind> = new Set(['refused', 'budget_used']);

/**
 * Runs the parts of a synchronisation (searches, conversations, proposals). A failed part does not affect the others.
 */
export class SyncRun {
  private readonly logger = new Logger(SyncRun.name);
  private readonly errors: unknown[] = [];
  private readonly missingPermissions = new Set<string>();
  private partCount = 0;
  private partialCount = 0;

  /**
   * Runs one part.
   * @returns why it failed; null when it succeeded
   * @throws errors that concern all parts: a refused access token, no calls left, an unavailable service of this
   *   installation
   */
  async runPart(name: string, work: () => Promise<void>): Promise<string | null> {
    this.partCount += 1;
    try {
      await work();
      return null;
    } catch (error) {
      if (error instanceof AppError || (error instanceof UpworkError && CONCERNS_ALL.has(error.kind))) throw error;
      if (!(error instanceof UpworkError)) this.logger.error(`${name}: ${String(error)}`);
      this.errors.push(error);
      return describeSyncError(error);
    }
  }

  /** Returns the data of an answer, and records what is missing in it. */
  read<Data>({ data, isPartial, missingPermissions }: UpworkAnswer<Data>): Data {
    if (isPartial) this.partialCount += 1;
    for (const permission of missingPermissions) this.missingPermissions.add(permission);
    return data;
  }

  get failedCount(): number {
    return this.errors.length;
  }

  /** Returns the result of the run. @throws the first error when all parts failed */
  finish(counts: SyncCounts): SyncResult {
    const upworkErrors = this.errors.filter((error) => error instanceof UpworkError);
    return {
      counts: { ...counts, partial: this.partialCount },
      error: this.summarizeFailures(),
      // The next run must read again what Upwork could not answer.
      isComplete: !upworkErrors.some(({ isTransient }) => isTransient),
      missingPermissions: [
        ...new Set([...this.missingPermissions, ...upworkErrors.flatMap(({ permission }) => permission ?? [])]),
      ],
      refusedDocument: upworkErrors.find(({ kind }) => kind === 'document_refused') ?? null,
    };
  }

  private summarizeFailures(): string | null {
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

import { Logger } from '@nestjs/common';
import { AppError } from '../platform/errors/app-error';
import type { RoomHistory } from '../messages/upwork-rooms.service';
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
  /** Ends the run before its next part; another run continues. */
  readonly stop: AbortSignal;
}

/** Counts of what a synchronisation did. */
export type SyncCounts = Readonly<Record<string, number>>;

/** Outcome of a run; `interrupted` when another run must continue, `not_due` when it was not claimed. */
export interface SyncOutcome {
  readonly status: 'succeeded' | 'failed' | 'postponed' | 'interrupted' | 'not_due';
  /** Only of a success. */
  readonly counts?: SyncCounts;
}

/** How far a list or a room was read. Times are in ISO 8601. */
export interface ListPosition {
  /** Changes up to this time are stored. */
  readonly readUntil: string | null;
  /** When the list was last read to its end. */
  readonly readWholeAt: string | null;
  /** Number of runs since then in which a part of the list could not be read. */
  readonly incompleteRuns: number;
  /** Where the next run continues to read the list. */
  readonly rest?: RestOfList;
  /** Of a room with more stories than one run reads. */
  readonly history?: RoomHistory;
}

/** The rest of a list that a run ended before. */
export interface RestOfList {
  /** Cursor of the next page. */
  readonly after: string;
  /** When the first page was read. */
  readonly startedAt: string;
  /** The latest change on the pages before. */
  readonly latest: number;
  /** True when every proposal on the pages before is stored. */
  readonly isComplete: boolean;
}

/** Positions by the name of the list or the id of the room. A run updates them, also when it fails. */
export type ListPositions = Record<string, ListPosition>;

/** Runs after which unreadable parts are skipped: some stay unreadable. */
export const MAX_INCOMPLETE_RUNS = 2;

/** Result of a run in which at least one part succeeded. */
export interface SyncResult {
  readonly counts: SyncCounts;
  /** Summary of the parts that failed. */
  readonly error: string | null;
  /** True when everything before the start of the run was read. */
  readonly isComplete: boolean;
  /** True when the run was ended early and another one must continue. */
  readonly isInterrupted: boolean;
  /** What the API key may not read. */
  readonly missingPermissions: readonly string[];
  /** Documents that Upwork refused: no run can succeed before the operator updates them. */
  readonly refusedDocument: UpworkError | null;
}

/** Id of the task that runs due synchronisations; a user's request triggers it at once. */
export const SYNC_TASK_ID = 'sync-connections';

const MAX_REASON_LENGTH = 1_000;

/** Kinds of failures that end the run: every further call would fail alike. */
const CONCERNS_ALL: ReadonlySet<UpworkErrorKind> = new Set(['refused', 'budget_used']);
/** Names of missing permissions in one result; the CHECK of syncs.missing_permissions allows twice as many. */
const MAX_PERMISSIONS = 50;

/**
 * Runs the parts of a synchronisation (searches, conversations, proposals). A failed part does not affect the others.
 */
export class SyncRun {
  private readonly logger = new Logger(SyncRun.name);
  private readonly errors: unknown[] = [];
  private readonly missingPermissions = new Set<string>();
  private partCount = 0;
  private failedParts = 0;
  private partialCount = 0;

  constructor(private readonly stop: AbortSignal) {}

  /** Returns whether the run must end before its next part. */
  get isStopped(): boolean {
    return this.stop.aborted;
  }

  /**
   * Runs one part.
   * @returns why it failed; null when it succeeded
   * @throws errors that concern all parts: a refused access token, no calls left, an unavailable service of this
   *   installation
   */
  async runPart(name: string, work: () => Promise<void>): Promise<string | null> {
    this.partCount += 1;
    const reason = await this.runExtra(name, work);
    if (reason !== null) this.failedParts += 1;
    return reason;
  }

  /** Runs work beside the parts, as `runPart`: without it the run can succeed, and with it alone it cannot. */
  async runExtra(name: string, work: () => Promise<void>): Promise<string | null> {
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
    return this.failedParts;
  }

  /**
   * Returns the result of the run.
   * @param isComplete whether failed parts are skipped; by default a later run reads those that can succeed then
   * @throws the first error when all parts failed and are not skipped
   */
  finish(counts: SyncCounts, isComplete?: boolean): SyncResult {
    const upworkErrors = this.errors.filter((error) => error instanceof UpworkError);
    const isFailed = this.failedParts > 0 && this.failedParts === this.partCount;
    if (isFailed && !isComplete && !this.isStopped) throw this.errors[0];
    const isAnswered = this.errors.every((error) => error instanceof UpworkError && !error.isTransient);
    const permissions = [...this.missingPermissions, ...upworkErrors.flatMap(({ permission }) => permission ?? [])];
    return {
      counts: { ...counts, partial: this.partialCount },
      error: this.summarizeFailures(),
      isComplete: !this.isStopped && (isComplete ?? isAnswered),
      isInterrupted: this.isStopped,
      missingPermissions: [...new Set(permissions)].slice(0, MAX_PERMISSIONS),
      refusedDocument: upworkErrors.find(({ kind }) => kind === 'document_refused') ?? null,
    };
  }

  private summarizeFailures(): string | null {
    if (this.errors.length === 0) return null;
    const { length } = this.errors;
    const total = this.partCount + length - this.failedParts;
    return `${length} of ${total} failed. The first: ${describeSyncError(this.errors[0])}`.slice(0, MAX_REASON_LENGTH);
  }
}

/** Describes an error for the user. */
export function describeSyncError(error: unknown): string {
  if (error instanceof UpworkError || error instanceof AppError) return error.message.slice(0, MAX_REASON_LENGTH);
  return 'An internal error occurred';
}

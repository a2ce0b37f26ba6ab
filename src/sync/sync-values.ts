/** What is synchronised of a connection; the CHECK of syncs.kind lists the same. */
export const SYNC_KINDS = ['jobs', 'proposals', 'messages'] as const;
/** One of SYNC_KINDS. */
export type SyncKind = (typeof SYNC_KINDS)[number];

/** How often each is brought up to date by itself, in seconds. */
export const EVERY_SECONDS: Readonly<Record<SyncKind, number>> = { jobs: 900, proposals: 600, messages: 120 };

/** What a synchronisation did: how many. */
export type SyncFigures = Readonly<Record<string, number>>;

/** How a run ended whose parts did not all fail. */
export interface SyncResult {
  readonly figures: SyncFigures;
  /** Why some parts failed. */
  readonly error: string | null;
  /** Whether what is older than the run's start is known now. */
  readonly isComplete: boolean;
}

/** The task that runs what is due; a user's request starts it at once. */
export const SYNC_TASK_ID = 'sync-connections';

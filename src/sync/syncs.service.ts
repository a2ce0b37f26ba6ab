import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { Config } from '../platform/config/config';
import { Database } from '../platform/database/database';
import { AppError } from '../platform/errors/app-error';
import { TaskRequestService } from '../platform/scheduler/task-request.service';
import { TokenRefreshService } from '../tokens/token-refresh.service';
import { UpworkRateLimiterService } from '../upwork/upwork-rate-limiter.service';
import { UpworkError } from '../upwork/upwork.error';
import { SyncDto } from './syncs.dto';
import { JobsSyncService } from './jobs-sync.service';
import { MessagesSyncService } from './messages-sync.service';
import { ProposalsSyncService } from './proposals-sync.service';
import { describeSyncError, SYNC_TASK_ID, type SyncKind, type SyncOutcome, type SyncResult } from './sync-run';
import {
  CLAIM_SYNC,
  LIST_SYNCS,
  READ_SYNC,
  RENEW_LEASE,
  REQUEST_SYNCS,
  SECONDS_UNTIL_ALLOWED,
  SYNC_FAILED,
  SYNC_POSTPONED,
  SYNC_INTERRUPTED,
  SYNC_SUCCEEDED,
  type SyncRow,
} from './syncs.queries';

/** Lease of a run, which is renewed; after it, another worker may take over from one that died. */
const LEASE_SECONDS = 600;
const RENEW_EVERY_MS = 60_000;

const FIRST_RETRY_SECONDS = 60;
const MAX_RETRY_SECONDS = 3_600;
/** For failures that only a person can end: the run is not retried, but its user may request it. */
const RECHECK_SECONDS = 86_400;

/** Requests, runs and lists synchronisations of the signed-in user's connections. */
@Injectable()
export class SyncsService {
  private readonly logger = new Logger(SyncsService.name);

  constructor(
    private readonly database: Database,
    private readonly tasks: TaskRequestService,
    private readonly tokenRefresh: TokenRefreshService,
    private readonly jobs: JobsSyncService,
    private readonly proposals: ProposalsSyncService,
    private readonly messages: MessagesSyncService,
    private readonly limiter: UpworkRateLimiterService,
    private readonly config: Config,
  ) {}

  /**
   * Requests a synchronisation of one kind for all connections; a worker starts it within moments.
   * @throws AppError `token.not_connected` when no connection works; `rate.limited` with Retry-After when this kind was
   *   requested a moment ago
   */
  async request(kind: SyncKind): Promise<SyncDto[]> {
    const everySeconds = this.config.upwork.syncIntervalSeconds;
    const rows = await this.database.query<SyncRow>(REQUEST_SYNCS, [kind, everySeconds]);
    if (rows.length === 0) {
      const [recent] = await this.database.query<{ seconds: number }>(SECONDS_UNTIL_ALLOWED, [kind, everySeconds]);
      throw recent ? buildTooSoonError(everySeconds, recent.seconds) : new AppError('token.not_connected');
    }
    await this.tasks.request(SYNC_TASK_ID);
    return rows.map(SyncDto.from);
  }

  /** Returns all synchronisations of all connections. One statement. */
  async list(): Promise<SyncDto[]> {
    return (await this.database.query<SyncRow>(LIST_SYNCS)).map(SyncDto.from);
  }

  /** Returns one synchronisation. @throws AppError `sync.not_found` */
  async get(id: number): Promise<SyncDto> {
    const [row] = await this.database.query<SyncRow>(READ_SYNC, [id]);
    if (!row) throw new AppError('sync.not_found');
    return SyncDto.from(row);
  }

  /**
   * Runs one synchronisation if it is due and free. Session: the user for whom the task works; Upwork is called between
   * units. Data stored before a failure is kept and is unchanged when read again. A run without calls left is
   * postponed.
   * @param stop ends the run before its next part; another run continues where it ended
   * @throws UpworkError `document_refused` after it is recorded: an alarm for the operator
   */
  async run(id: number, stop?: AbortSignal): Promise<SyncOutcome> {
    if (stop?.aborted) return { status: 'not_due' };
    const owner = randomUUID();
    const [sync] = await this.database.query<SyncRow>(CLAIM_SYNC, [id, owner, LEASE_SECONDS]);
    if (!sync) return { status: 'not_due' };
    const lease = new AbortController();
    const renewal = setInterval(() => void this.renewLease(sync, owner, lease), RENEW_EVERY_MS);
    const end = stop ? AbortSignal.any([stop, lease.signal]) : lease.signal;
    return this.runClaimed(sync, owner, end).finally(() => clearInterval(renewal));
  }

  /** Runs a claimed synchronisation and records its end. A success that cannot be recorded is a failure. */
  private async runClaimed(sync: SyncRow, owner: string, stop: AbortSignal): Promise<SyncOutcome> {
    const work = (accessToken: string): Promise<SyncResult> => this.synchronize(accessToken, sync, stop);
    let result: SyncResult;
    try {
      result = await this.tokenRefresh.runWithAccessToken(sync.tokenId, work);
      if (result.isInterrupted) await this.recordInterruption(sync, owner);
      else await this.recordSuccess(sync, owner, result);
    } catch (error) {
      return this.recordFailure(sync, owner, error);
    }
    if (result.refusedDocument) throw result.refusedDocument;
    return result.isInterrupted ? { status: 'interrupted' } : { status: 'succeeded', counts: result.counts };
  }

  /** Renews the lease. A failed renewal is tried again; a lost lease ends the run. */
  private async renewLease({ id, listPositions }: SyncRow, owner: string, lease: AbortController): Promise<void> {
    const values = [id, owner, LEASE_SECONDS, JSON.stringify(listPositions)];
    const renewed = await this.database.query(RENEW_LEASE, values).catch(() => [id]);
    if (renewed.length === 0) lease.abort();
  }

  private async recordInterruption({ id, listPositions }: SyncRow, owner: string): Promise<void> {
    await this.database.query(SYNC_INTERRUPTED, [id, owner, JSON.stringify(listPositions)]);
  }

  private async recordSuccess({ id, kind, listPositions }: SyncRow, owner: string, result: SyncResult): Promise<void> {
    const { counts, error, isComplete, missingPermissions } = result;
    const seconds = await this.limiter.stretch(this.config.upwork.pollingSeconds[kind]);
    const values = [id, owner, JSON.stringify(counts), seconds, isComplete, error];
    await this.database.query(SYNC_SUCCEEDED, [...values, missingPermissions, JSON.stringify(listPositions)]);
  }

  private async recordFailure(sync: SyncRow, owner: string, error: unknown): Promise<SyncOutcome> {
    if (error instanceof UpworkError && error.kind === 'budget_used') {
      const seconds = [(error.retryAfterMs ?? 0) / 1_000, this.config.upwork.pollingSeconds[sync.kind]];
      await this.database.query(SYNC_POSTPONED, [sync.id, owner, ...seconds, JSON.stringify(sync.listPositions)]);
      return { status: 'postponed' };
    }
    const reason = this.describeFailure(sync, error);
    const missing = error instanceof UpworkError && error.permission !== undefined ? [error.permission] : [];
    const values = [sync.id, owner, reason, computeRetrySeconds(sync, error), missing];
    await this.database.query(SYNC_FAILED, [...values, JSON.stringify(sync.listPositions)]);
    if (isDocumentRefused(error)) throw error;
    return { status: 'failed' };
  }

  private synchronize(
    accessToken: string,
    { userId, tokenId, kind, organizationId, watermark, listPositions, isRequested }: SyncRow,
    stop: AbortSignal,
  ): Promise<SyncResult> {
    const limits = { isPolling: !isRequested, isInBackground: true };
    const caller = { userId, tokenId, accessToken, organizationId, stop, ...limits };
    switch (kind) {
      case 'jobs':
        return this.jobs.run(caller);
      case 'proposals':
        return this.proposals.run(caller, listPositions);
      case 'messages':
        return this.messages.run(caller, watermark, listPositions);
    }
  }

  private describeFailure({ id, kind }: SyncRow, error: unknown): string {
    if (!(error instanceof UpworkError || error instanceof AppError))
      this.logger.error(`synchronisation ${id} (${kind}): ${String(error)}`);
    return describeSyncError(error);
  }
}

function isDocumentRefused(error: unknown): error is UpworkError {
  return error instanceof UpworkError && error.kind === 'document_refused';
}

function computeRetrySeconds({ failures }: SyncRow, error: unknown): number {
  const isPermissionMissing = error instanceof UpworkError && error.kind === 'permission_missing';
  if (isPermissionMissing || isDocumentRefused(error)) return RECHECK_SECONDS;
  const doubled = Math.min(FIRST_RETRY_SECONDS * 2 ** Math.min(failures, 10), MAX_RETRY_SECONDS);
  const retryAfterSeconds = error instanceof UpworkError ? (error.retryAfterMs ?? 0) / 1_000 : 0;
  return Math.max(retryAfterSeconds, doubled * (1 - Math.random() / 5));
}

function buildTooSoonError(everySeconds: number, seconds: number): AppError {
  return new AppError('rate.limited', {
    detail: `A synchronisation of one kind can be requested once in ${everySeconds} s. Try again in ${seconds} s.`,
    headers: { 'retry-after': String(seconds) },
  });
}

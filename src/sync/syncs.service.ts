import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { Config } from '../platform/config/config';
import { Database } from '../platform/database/database';
import { AppError } from '../platform/errors/app-error';
import { TaskRequests } from '../platform/scheduler/task-requests';
import { TokenRefresher } from '../tokens/token-refresh.service';
import { UpworkError } from '../upwork/upwork.error';
import { SyncDto } from './dto/sync.dto';
import { JobsSync } from './jobs-sync.service';
import { MessagesSync } from './messages-sync.service';
import { ProposalsSync } from './proposals-sync.service';
import { reasonOf } from './sync-parts';
import { EVERY_SECONDS, SYNC_TASK_ID, type SyncFigures, type SyncKind, type SyncResult } from './sync-values';
import {
  CLAIM_SYNC,
  LIST_SYNCS,
  READ_SYNC,
  REQUEST_SYNCS,
  SECONDS_TO_WAIT,
  SYNC_FAILED,
  SYNC_SUCCEEDED,
  type SyncRow,
} from './syncs.queries';

/** A worker that dies loses its synchronisation to another after so long. */
const LEASE_SECONDS = 600;

const FIRST_PAUSE_SECONDS = 60;
const MAX_PAUSE_SECONDS = 3_600;

/** The synchronisations of the signed-in user's connections: asked for, run and shown. */
@Injectable()
export class SyncsService {
  private readonly logger = new Logger(SyncsService.name);

  constructor(
    private readonly database: Database,
    private readonly tasks: TaskRequests,
    private readonly tokens: TokenRefresher,
    private readonly jobs: JobsSync,
    private readonly proposals: ProposalsSync,
    private readonly messages: MessagesSync,
    private readonly config: Config,
  ) {}

  /**
   * Asks for a synchronisation of one kind of all connections; a worker begins it within moments.
   * @throws AppError `token.not_connected` when there is no connection that works; `rate.limited` with Retry-After when
   *   this kind was asked for a moment ago
   */
  async request(kind: SyncKind): Promise<SyncDto[]> {
    const everySeconds = this.config.upwork.syncIntervalSeconds;
    const rows = await this.database.query<SyncRow>(REQUEST_SYNCS, [kind, everySeconds]);
    if (rows.length === 0) {
      const [asked] = await this.database.query<{ seconds: number }>(SECONDS_TO_WAIT, [kind, everySeconds]);
      throw asked ? askedTooSoon(everySeconds, asked.seconds) : new AppError('token.not_connected');
    }
    await this.tasks.ask(SYNC_TASK_ID);
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
   * Runs one synchronisation that is due, unless another worker has it. Session: user, for whom a task works; Upwork is
   * called between units. What it stored before a failure stays, and comes again as unchanged.
   * @returns its figures; undefined when it failed or was not to be run
   */
  async run(id: number): Promise<SyncFigures | undefined> {
    const owner = randomUUID();
    const [sync] = await this.database.query<SyncRow>(CLAIM_SYNC, [id, owner, LEASE_SECONDS]);
    if (!sync) return undefined;
    try {
      const { figures, error, isComplete } = await this.perform(sync);
      await this.database.query(SYNC_SUCCEEDED, [
        id,
        owner,
        JSON.stringify(figures),
        EVERY_SECONDS[sync.kind],
        isComplete,
        error,
      ]);
      return figures;
    } catch (error) {
      await this.database.query(SYNC_FAILED, [id, owner, this.noted(sync, error), pauseAfter(sync, error)]);
      return undefined;
    }
  }

  /**
   * An access token may be void before its time: it is refreshed once, after which the connection either works or says
   * that it must be made anew.
   */
  private async perform(sync: SyncRow): Promise<SyncResult> {
    try {
      return await this.performBy(await this.tokens.accessToken(sync.tokenId), sync);
    } catch (error) {
      if (!(error instanceof UpworkError) || error.kind !== 'refused') throw error;
      await this.tokens.refresh(sync.tokenId);
      return this.performBy(await this.tokens.accessToken(sync.tokenId), sync);
    }
  }

  private performBy(accessToken: string, { userId, kind, organizationId, watermark }: SyncRow): Promise<SyncResult> {
    const caller = { userId, accessToken, organizationId };
    switch (kind) {
      case 'jobs':
        return this.jobs.run(caller);
      case 'proposals':
        return this.proposals.run(caller);
      case 'messages':
        return this.messages.run(caller, watermark);
    }
  }

  private noted({ id, kind }: SyncRow, error: unknown): string {
    if (!(error instanceof UpworkError || error instanceof AppError))
      this.logger.error(`synchronisation ${id} (${kind}): ${String(error)}`);
    return reasonOf(error);
  }
}

function pauseAfter({ failures }: SyncRow, error: unknown): number {
  const doubled = Math.min(FIRST_PAUSE_SECONDS * 2 ** Math.min(failures, 10), MAX_PAUSE_SECONDS);
  const askedFor = error instanceof UpworkError ? (error.retryAfterMs ?? 0) / 1_000 : 0;
  return Math.max(askedFor, doubled * (1 - Math.random() / 5));
}

function askedTooSoon(everySeconds: number, seconds: number): AppError {
  return new AppError('rate.limited', {
    detail: `A synchronisation of one kind can be asked for once in ${everySeconds} s. Try again in ${seconds} s.`,
    headers: { 'retry-after': String(seconds) },
  });
}

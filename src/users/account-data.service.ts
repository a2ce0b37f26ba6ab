import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { SecurityEventsService } from '../auth/security-events/security-events.service';
import { SessionsService } from '../auth/sessions/sessions.service';
import { LoginThrottleService } from '../auth/login-throttle/login-throttle.service';
import { currentContext, runInContext } from '../platform/context/request-context';
import { Database } from '../platform/database/database';
import { AppError } from '../platform/errors/app-error';
import {
  buildSectionQuery,
  EXPORT_SECTIONS,
  type ExportedRow,
  type ExportSection,
  GENERATED_COLUMNS,
  SECRET_COLUMNS,
} from './export-sections';
import { AccountsService } from '../auth/accounts/accounts.service';
import { AccountNotificationsService } from '../auth/accounts/account-notifications.service';
import { Config } from '../platform/config/config';
import { RedisClients } from '../platform/redis/redis-clients';
import { eraseTenantKeys } from '../platform/redis/tenant-keys';
import { TaskRequestService } from '../platform/scheduler/task-request.service';
import { EncryptionService } from '../platform/encryption/encryption.service';
import { REMOVE_ERASED_TEXTS } from './remove-erased-texts.task';
import { computeBackupExpiry, listRetainedData } from './retained-data';
import type { ErasureCertificateDto } from './users.dto';
import { currentUserId } from '../platform/http/access/access';

/** Rows per page. Each page is its own transaction, so that a slow reader keeps none open. */
const PAGE_ROWS = 500;

/** Exports all data of the signed-in user as one file. */
@Injectable()
export class DataExportService {
  constructor(
    private readonly database: Database,
    private readonly sessions: SessionsService,
    private readonly throttle: LoginThrottleService,
    private readonly events: SecurityEventsService,
  ) {}

  /**
   * Returns the file as a stream of JSON: one member per table, then the sessions, then `"complete": true`; a file
   * without it is truncated. Rows written meanwhile may be missing. Memory: one page. Session: user. Side effects: the
   * event `user.export`.
   * @throws AppError `auth.throttled`, `auth.session_missing`
   */
  async export(): Promise<Readable> {
    const context = currentContext();
    if (!context?.principal) throw new AppError('auth.session_missing');
    const { userId, sessionId } = context.principal;
    await this.throttle.countExport(userId);
    await this.events.record('user.export', { success: true, userId, sessionId });
    const generated = await this.loadGeneratedColumns();
    // The stream is read when the socket has room, outside the request's context.
    const runInRequest = <T>(work: () => Promise<T>): Promise<T> => runInContext({ ...context }, work);
    return Readable.from(this.generateJson(userId, generated, runInRequest), { objectMode: false });
  }

  private async *generateJson(
    userId: number,
    generated: GeneratedColumns,
    runInRequest: RunInContext,
  ): AsyncGenerator<string> {
    yield `{"exportedAt":${JSON.stringify(new Date())},"userId":${userId}`;
    for (const section of EXPORT_SECTIONS) {
      yield `,\n${JSON.stringify(section.name)}:[`;
      yield* this.readRows(section, generated.get(section.table) ?? new Set(), runInRequest);
      yield ']';
    }
    yield `,\n"sessions":${JSON.stringify(await runInRequest(() => this.sessions.list(userId)))}`;
    yield ',\n"complete":true}\n';
  }

  private async *readRows(
    section: ExportSection,
    generated: ReadonlySet<string>,
    runInRequest: RunInContext,
  ): AsyncGenerator<string> {
    let after: readonly string[] | null = null;
    for (;;) {
      const page: ExportedRow[] = await runInRequest(() =>
        this.database.query<ExportedRow>(...buildSectionQuery(section, after, PAGE_ROWS)),
      );
      const lines = page.map((row) => JSON.stringify(toExportedRow(row, generated)));
      if (lines.length > 0) yield (after === null ? '\n' : ',\n') + lines.join(',\n');
      const last = page.at(-1);
      if (!last || page.length < PAGE_ROWS) return;
      after = last.sort_keys;
    }
  }

  private async loadGeneratedColumns(): Promise<GeneratedColumns> {
    const tables = EXPORT_SECTIONS.map(({ table }) => table);
    const rows = await this.database.query<{ table: string; columns: string[] }>(GENERATED_COLUMNS, [tables]);
    return new Map(rows.map(({ table, columns }) => [table, new Set(columns)]));
  }
}

type GeneratedColumns = ReadonlyMap<string, ReadonlySet<string>>;
type RunInContext = <T>(work: () => Promise<T>) => Promise<T>;

function toExportedRow(row: ExportedRow, generated: ReadonlySet<string>): Record<string, unknown> {
  const columns = Object.entries(row).filter(
    ([name]) => name !== 'sort_keys' && !generated.has(name) && !SECRET_COLUMNS.has(name),
  );
  return Object.fromEntries(
    columns.map(([name, value]) => [name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()), value]),
  );
}

/** One statement may delete 100,000 rows, which takes longer than the statement timeout of a request. */
const STATEMENT_TIMEOUT_MS = 10 * 60_000;

/** The result of auth.erase_account(). */
type ErasureOutcome =
  | { refused: 'last_admin' }
  | { refused?: undefined; deletedRows: Record<string, number>; auditRows: number; securityEvents: number };

/** Erases the signed-in user's account. */
@Injectable()
export class AccountErasureService {
  constructor(
    private readonly database: Database,
    private readonly accounts: AccountsService,
    private readonly sessions: SessionsService,
    private readonly throttle: LoginThrottleService,
    private readonly encryption: EncryptionService,
    private readonly notifications: AccountNotificationsService,
    private readonly config: Config,
    private readonly redis: RedisClients,
    private readonly tasks: TaskRequestService,
  ) {}

  /**
   * Erases the account: its rows in every table and its part of both logs in one transaction, then sessions, counts,
   * texts in Redis and the cached data key. Queues contain only run numbers. A task removes the texts from the files of
   * Redis. Session: user, recently re-authenticated; it ends. Side effects: the event `audit.forgotten`, an email with
   * the certificate to the former address.
   * @throws AppError `user.not_found`, `user.last_admin`, `service.unavailable`
   */
  async erase(): Promise<ErasureCertificateDto> {
    const userId = currentUserId();
    const account = await this.accounts.findAccount(userId);
    if (!account) throw new AppError('user.not_found');
    // First, so that nothing is erased while Redis cannot end sessions.
    const { length: sessionsEnded } = await this.sessions.list(userId);
    const { deletedRows, auditRows, securityEvents } = await this.eraseRows(this.throttle.hashEmail(account.email));
    await this.sessions.endAll(userId);
    await this.throttle.forgetAccount(userId, account.email);
    await this.encryption.erase(userId);
    await eraseTenantKeys(this.redis.commands, userId);
    await this.tasks.request(REMOVE_ERASED_TEXTS.id);
    const erasedAt = new Date();
    const backupsHoldItUntil = computeBackupExpiry(erasedAt, this.config.retention);
    await this.notifications.sendErasure(account.email, { userId, erasedAt, backupsHoldItUntil });
    return {
      userId,
      erasedAt,
      deletedRows,
      auditRowsForgotten: auditRows,
      securityEventsForgotten: securityEvents,
      sessionsEnded,
      backupsHoldItUntil,
      whatStays: listRetainedData(erasedAt, this.config.retention),
    };
  }

  private async eraseRows(emailHash: Buffer) {
    const outcome = await this.database.transaction(async (unit) => {
      unit.setStatementTimeout(STATEMENT_TIMEOUT_MS);
      const [row] = await unit.query<{ outcome: ErasureOutcome | null }>('SELECT auth.erase_account($1) AS outcome', [
        emailHash,
      ]);
      return row?.outcome ?? null;
    });
    if (!outcome) throw new AppError('user.not_found');
    if (outcome.refused) throw new AppError('user.last_admin', { detail: 'Make another user an admin first.' });
    return outcome;
  }
}

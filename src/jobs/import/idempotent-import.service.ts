import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { FairSemaphore } from '../../platform/concurrency/fair-semaphore';
import { joinUnitOfWork } from '../../platform/database/current-unit-of-work';
import { Database } from '../../platform/database/database';
import type { UnitOfWork } from '../../platform/database/unit-of-work';
import { currentUserId } from '../../platform/http/access/access';
import { isStreamed, unsupportedMediaType } from '../../platform/http/edge/body-parsers';
import {
  hashRequest,
  readIdempotencyKey,
  IdempotencyStoreService,
} from '../../platform/idempotency/idempotency.interceptor';
import type { ImportReportDto } from './import-report.dto';
import { JobsImportService } from './jobs-import.service';
import { limitRows } from './json-rows';
import { BodySpool } from './import-file';

/** Row limit with an Idempotency-Key: one transaction occupies a connection and holds locks. */
const MAX_KEYED_ROWS = 10_000;

/** Limits of concurrent imports: those of one tenant run one after the other. */
const MAX_WAITING_IMPORTS = {
  resource: 'imports',
  perKey: 1,
  maxWaitingPerKey: 2,
  maxWaitMs: 60_000,
  retryAfterSeconds: 5,
};

/** Receives files and applies the Idempotency-Key, which other routes get from an interceptor. */
@Injectable()
export class IdempotentImportService {
  private readonly importLimit = new FairSemaphore(MAX_WAITING_IMPORTS);

  constructor(
    private readonly imports: JobsImportService,
    private readonly database: Database,
    private readonly store: IdempotencyStoreService,
    private readonly spool: BodySpool,
  ) {}

  /**
   * Imports the request's body. It is read completely first, so that a slow sender holds no transaction and does not
   * wait while rows are stored. With a key, the import, the key and the response are one transaction. Imports of one
   * tenant run one after the other.
   * @throws AppError as JobsImportService.run; `rate.too_many_at_once` when too many imports wait;
   *   `idempotency.key_invalid`, `.in_progress`, `.key_reused`
   */
  async run(request: FastifyRequest, reply: FastifyReply): Promise<ImportReportDto> {
    if (!isStreamed(request)) throw unsupportedMediaType(request);
    const mediaType = request.headers['content-type'] ?? '';
    const key = readIdempotencyKey(request.headers['idempotency-key']);
    const isArray = mediaType.split(';', 1)[0]?.trim().toLowerCase() === 'application/json';
    const body = await this.spool.receive(request.body as Readable, isArray ? limitRows : undefined);
    const run = (maxRows?: number): Promise<ImportReportDto> => this.imports.run(body.read(), mediaType, { maxRows });
    try {
      return await this.importLimit.run(currentUserId(), () => {
        if (key === undefined) return run();
        const requestHash = hashRequest(request.method, request.url, [mediaType, body.digest]);
        return this.database.transaction((unit) =>
          this.runOnce(unit, key, requestHash, reply, () => run(MAX_KEYED_ROWS)),
        );
      });
    } finally {
      await body.close();
    }
  }

  private async runOnce(
    unit: UnitOfWork,
    key: string,
    requestHash: string,
    reply: FastifyReply,
    run: () => Promise<ImportReportDto>,
  ): Promise<ImportReportDto> {
    const stored = await this.store.begin(unit, key);
    if (stored) {
      this.store.assertSameRequest(stored, requestHash);
      void reply.status(stored.status).headers({ ...stored.headers, 'idempotent-replayed': 'true' });
      return JSON.parse(stored.body ?? '{}') as ImportReportDto;
    }
    const report = await joinUnitOfWork(unit, run);
    await this.store.save(unit, key, { requestHash, status: 200, headers: {}, body: JSON.stringify(report) });
    return report;
  }
}

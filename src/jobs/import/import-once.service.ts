import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { currentContext } from '../../platform/context/request-context';
import { Database } from '../../platform/database/database';
import type { Unit } from '../../platform/database/unit';
import { AppError } from '../../platform/errors/app-error';
import { isStreamed } from '../../platform/http/body-parsers';
import { hashOf, idempotencyKeyOf, IdempotencyStore } from '../../platform/idempotency/idempotency-store';
import type { ImportReportDto } from '../dto/import-report.dto';
import { JobsImportService } from './jobs-import.service';
import { SpooledBody } from './spooled-body';

/** Takes files in, and gives the import what other routes have of an interceptor: an Idempotency-Key makes it happen once. */
@Injectable()
export class ImportOnce {
  constructor(
    private readonly imports: JobsImportService,
    private readonly database: Database,
    private readonly store: IdempotencyStore,
  ) {}

  /**
   * Imports the request's body. It is read to its end first: no sender, however slow, holds a transaction, and none waits
   * at his end while rows are stored. With a key the whole effect, the key and the answer are one transaction.
   * @throws AppError as JobsImportService.run; `idempotency.key_invalid`, `.in_progress`, `.key_reused`
   */
  async run(request: FastifyRequest, reply: FastifyReply): Promise<ImportReportDto> {
    if (!isStreamed(request)) throw new AppError('request.media_type_unsupported');
    const mediaType = request.headers['content-type'] ?? '';
    const key = idempotencyKeyOf(request.headers['idempotency-key']);
    const body = await SpooledBody.of(request.body as AsyncIterable<Buffer>);
    const run = (): Promise<ImportReportDto> => this.imports.run(body.read(), mediaType);
    try {
      if (key === undefined) return await run();
      const requestHash = hashOf(request.method, request.url, [mediaType, body.digest]);
      return await this.database.unit((unit) => this.once(unit, key, requestHash, reply, run));
    } finally {
      await body.close();
    }
  }

  private async once(
    unit: Unit,
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
    const report = await joining(unit, run);
    await this.store.keep(unit, key, { requestHash, status: 200, headers: {}, body: JSON.stringify(report) });
    return report;
  }
}

/** Runs `work` so that all it asks of the gate joins the unit. */
async function joining<T>(unit: Unit, work: () => Promise<T>): Promise<T> {
  const context = currentContext();
  if (context) context.unit = unit;
  try {
    return await work();
  } finally {
    if (context) context.unit = undefined;
  }
}

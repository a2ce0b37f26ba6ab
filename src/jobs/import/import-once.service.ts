import type { IncomingMessage } from 'node:http';
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

const MAX_DRAINED_BYTES = 67_108_864;

/** Gives the import what other routes have of the platform's interceptor: an Idempotency-Key makes it happen once. */
@Injectable()
export class ImportOnce {
  constructor(
    private readonly imports: JobsImportService,
    private readonly database: Database,
    private readonly store: IdempotencyStore,
  ) {}

  /**
   * Imports the request's body. With a key, the whole effect, the key and the answer are one transaction. The body is
   * read to its end before that begins: its hash tells whether the request is the same, and a slow sender must not hold
   * a transaction.
   * @throws AppError as JobsImportService.run; `idempotency.key_invalid`, `.in_progress`, `.key_reused`
   */
  async run(request: FastifyRequest, reply: FastifyReply): Promise<ImportReportDto> {
    if (!isStreamed(request)) throw new AppError('request.media_type_unsupported');
    const body = request.body as AsyncIterable<Buffer>;
    const mediaType = request.headers['content-type'] ?? '';
    const key = idempotencyKeyOf(request.headers['idempotency-key']);
    // A sender who writes all before he reads would never see the answer to a file refused at its first line.
    if (key === undefined) return this.imports.run(body, mediaType).finally(() => drained(request.raw));
    const spooled = await SpooledBody.of(body);
    try {
      const requestHash = hashOf(request.method, request.url, [mediaType, spooled.digest]);
      return await this.database.unit((unit) =>
        this.once(unit, key, requestHash, reply, () => this.imports.run(spooled.read(), mediaType)),
      );
    } finally {
      await spooled.close();
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

/** Reads what is left of a request and forgets it; past the limit of any file the sender is hung up on. */
async function drained(request: IncomingMessage): Promise<void> {
  let bytes = 0;
  try {
    request.unpipe();
    for await (const chunk of request as AsyncIterable<Buffer>) if ((bytes += chunk.length) > MAX_DRAINED_BYTES) break;
  } catch {
    // He went away: nobody waits for the answer.
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

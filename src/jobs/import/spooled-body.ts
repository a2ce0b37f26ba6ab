import { createHash, randomUUID } from 'node:crypto';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { Config } from '../../platform/config/config';
import { AppError } from '../../platform/errors/app-error';

/** Retry-After when the temporary files are full. */
const RETRY_AFTER_SECONDS = 10;

/** A complete body that can be read more than once. */
export interface SpooledBody {
  /** SHA-256 of the bytes, hex. */
  readonly digest: string;
  /** Reads the body from its start. */
  read(): AsyncIterable<Buffer>;
  /** Deletes the body. */
  close(): Promise<void>;
}

/**
 * Stores bodies in unlinked files, which disappear when they are closed. Limits the bytes of all files of the process
 * (IMPORT_SPOOL_BYTES) and the time a body may take to arrive (HTTP_REQUEST_TIMEOUT_MS).
 */
@Injectable()
export class BodySpool {
  private readonly maxBytes: number;
  private readonly deadlineMs: number;
  private bytes = 0;

  constructor({ limits, http }: Config) {
    this.maxBytes = limits.spoolBytes;
    this.deadlineMs = http.requestTimeoutMs;
  }

  /** Bytes in the open files. */
  get usedBytes(): number {
    return this.bytes;
  }

  /**
   * Reads a body to its end.
   * @param through checks or transforms the bytes while they arrive
   * @throws AppError `service.unavailable` beyond the limit of all files, `request.timeout`; the error of the body
   */
  async receive(
    body: Readable,
    through: (bytes: AsyncIterable<Buffer>) => AsyncIterable<Buffer> = (bytes) => bytes,
  ): Promise<SpooledBody> {
    const deadline = setTimeout(() => body.destroy(new AppError('request.timeout')), this.deadlineMs);
    const file = await openUnlinkedFile();
    const hash = createHash('sha256');
    let length = 0;
    const close = async (): Promise<void> => {
      this.bytes -= length;
      length = 0;
      await file.close();
    };
    try {
      for await (const chunk of through(body as AsyncIterable<Buffer>)) {
        this.reserve(chunk.length);
        length += chunk.length;
        hash.update(chunk);
        await file.writeFile(chunk);
      }
    } catch (error) {
      await close();
      throw error;
    } finally {
      clearTimeout(deadline);
    }
    const read = (): AsyncIterable<Buffer> =>
      file.createReadStream({ start: 0, autoClose: false }) as AsyncIterable<Buffer>;
    return { digest: hash.digest('hex'), read, close };
  }

  private reserve(bytes: number): void {
    if (this.bytes + bytes > this.maxBytes) {
      throw new AppError('service.unavailable', {
        detail: `Too many imports are running. Try again in ${RETRY_AFTER_SECONDS} s.`,
        headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
      });
    }
    this.bytes += bytes;
  }
}

/** Opens a file and unlinks it: the handle keeps the bytes, and nothing remains when the process ends. */
async function openUnlinkedFile(): Promise<FileHandle> {
  const path = join(tmpdir(), `gigvault-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  await unlink(path);
  return file;
}

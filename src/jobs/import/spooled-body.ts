import { createHash, randomUUID } from 'node:crypto';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { Config } from '../../platform/config/config';
import { AppError } from '../../platform/errors/app-error';

/** Seconds after which a caller may try again when the temporary files are full. */
const RETRY_AFTER_SECONDS = 10;

/** A body that was read to its end and can be read again. */
export interface SpooledBody {
  /** SHA-256 of the bytes, hex. */
  readonly digest: string;
  /** Reads it from its beginning. */
  read(): AsyncIterable<Buffer>;
  /** Frees its bytes. */
  close(): Promise<void>;
}

/**
 * Keeps bodies in files without a name, which are gone when they are closed. Bounds the bytes of all files of the process
 * (IMPORT_SPOOL_BYTES), and how long a body may take to arrive (HTTP_REQUEST_TIMEOUT_MS).
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

  /** How many bytes the open files hold. */
  get usedBytes(): number {
    return this.bytes;
  }

  /**
   * Reads a body to its end.
   * @param through passes its bytes on, or throws what is wrong with them
   * @throws AppError `service.unavailable` when all files together hold too much, `request.timeout`; what the body fails with
   */
  async receive(
    body: Readable,
    through: (bytes: AsyncIterable<Buffer>) => AsyncIterable<Buffer> = (bytes) => bytes,
  ): Promise<SpooledBody> {
    const deadline = setTimeout(() => body.destroy(new AppError('request.timeout')), this.deadlineMs);
    const file = await unnamedFile();
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
        detail: `Too many imports are under way. Try again in ${RETRY_AFTER_SECONDS} s.`,
        headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
      });
    }
    this.bytes += bytes;
  }
}

/** The open handle keeps the bytes; without a name nothing is left behind, however the process ends. */
async function unnamedFile(): Promise<FileHandle> {
  const path = join(tmpdir(), `gigvault-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  await unlink(path);
  return file;
}

import { createHash, randomUUID } from 'node:crypto';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A body that was read to its end and can be read again: a file without a name, gone when it is closed. */
export class SpooledBody {
  private constructor(
    private readonly file: FileHandle,
    /** SHA-256 of the bytes, hex. */
    readonly digest: string,
  ) {}

  /** Reads a body to its end. @throws what the body fails with */
  static async of(body: AsyncIterable<Buffer>): Promise<SpooledBody> {
    const path = join(tmpdir(), `gigvault-${randomUUID()}`);
    const file = await open(path, 'wx+', 0o600);
    // The open handle keeps the bytes; without a name nothing is left behind, however the process ends.
    await unlink(path);
    const hash = createHash('sha256');
    try {
      for await (const chunk of body) {
        hash.update(chunk);
        await file.writeFile(chunk);
      }
    } catch (error) {
      await file.close();
      throw error;
    }
    return new SpooledBody(file, hash.digest('hex'));
  }

  read(): AsyncIterable<Buffer> {
    return this.file.createReadStream({ start: 0, autoClose: false }) as AsyncIterable<Buffer>;
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

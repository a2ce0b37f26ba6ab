import { Readable } from 'node:stream';
import { S3Client, S3Errors } from '@bradenmacdonald/s3-lite-client';
import type { Bytes } from '../../platform/encryption/sealed-stream';
import { BackupError, BackupStore, FolderStore, sortNewestFirst } from './backup-store';
import type { Config } from '../../platform/config/config';

/** Four parts are in memory at once; S3 allows 10,000 parts, so a file can have 160 GB. */
const PART_BYTES = 16 * 1_024 * 1_024;

/** Address and credentials of a bucket. */
export interface S3Access {
  /** URL of the service, for path-style requests. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Prefix of every object key. */
  readonly prefix: string;
}

/** A bucket of any S3-compatible store: Amazon, MinIO, Ceph, Garage, R2 … Uploads files in parts as they are made. */
export class S3Store extends BackupStore {
  readonly kind = 's3';
  private readonly client: S3Client;
  private readonly prefix: string;

  constructor({ endpoint, region, bucket, accessKey, secretKey, prefix }: S3Access) {
    super();
    this.client = new S3Client({ endPoint: endpoint, region, bucket, accessKey, secretKey, pathStyle: true });
    this.prefix = prefix;
  }

  async write(name: string, content: Bytes, signal?: AbortSignal): Promise<void> {
    let contentError: { readonly error: unknown } | undefined;
    const observed = observeErrors(content, signal, (error) => (contentError = { error }));
    try {
      const source = Readable.from(observed, { objectMode: false });
      await this.client.putObject(this.buildKey(name), Readable.toWeb(source) as ReadableStream<Uint8Array>, {
        partSize: PART_BYTES,
      });
    } catch (error) {
      // Uploaded parts cost money until the upload is aborted; a store that is down keeps them anyway.
      await this.removePartial(name).catch(() => undefined);
      throw contentError ? contentError.error : toBackupError(error);
    }
  }

  async *read(name: string): Bytes & AsyncGenerator<Buffer> {
    try {
      const { body } = await this.client.getObject(this.buildKey(name));
      if (!body) return;
      for await (const chunk of Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]))
        yield Buffer.from(chunk as Uint8Array);
    } catch (error) {
      throw toBackupError(error);
    }
  }

  async remove(name: string): Promise<void> {
    try {
      await this.client.deleteObject(this.buildKey(name));
    } catch (error) {
      throw toBackupError(error);
    }
    await this.removePartial(name);
  }

  /** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html */
  async removePartial(name: string): Promise<void> {
    const key = this.buildKey(name);
    try {
      const response = await this.client.makeRequest({
        method: 'GET',
        objectName: '',
        query: { uploads: '', prefix: key },
        returnBody: true,
      });
      for (const [, uploadId = ''] of (await response.text()).matchAll(/<UploadId>([^<]+)<\/UploadId>/g)) {
        await this.client.makeRequest({ method: 'DELETE', objectName: key, query: { uploadId }, statusCode: 204 });
      }
    } catch (error) {
      throw toBackupError(error);
    }
  }

  async list(): Promise<string[]> {
    const names: string[] = [];
    try {
      for await (const { key } of this.client.listObjects({ prefix: this.prefix }))
        names.push(key.slice(this.prefix.length));
    } catch (error) {
      throw toBackupError(error);
    }
    return sortNewestFirst(names);
  }

  async sizeOf(name: string): Promise<number | null> {
    try {
      const { size } = await this.client.statObject(this.buildKey(name));
      return size;
    } catch (error) {
      if (error instanceof S3Errors.ServerError && error.statusCode === 404) return null;
      throw toBackupError(error);
    }
  }

  private buildKey(name: string): string {
    return this.prefix + name;
  }
}

/**
 * Passes the content on and fails when the signal is aborted. Calls `onError` for errors of the content; errors of the
 * store surface at the `yield`.
 */
async function* observeErrors(
  content: Bytes,
  signal: AbortSignal | undefined,
  onError: (error: unknown) => void,
): AsyncGenerator<Buffer> {
  const chunks = content[Symbol.asyncIterator]();
  const next = async (): Promise<IteratorResult<Buffer>> => {
    try {
      signal?.throwIfAborted();
      return await chunks.next();
    } catch (error) {
      onError(error);
      throw error;
    }
  };
  try {
    for (let chunk = await next(); !chunk.done; chunk = await next()) yield chunk.value;
  } finally {
    await chunks.return?.();
  }
}

/** Reports only the error code: the store's message may name the account. Unreadable answers are failures too. */
function toBackupError(error: unknown): BackupError {
  if (error instanceof BackupError) return error;
  if (error instanceof S3Errors.ServerError) {
    const code = error.code.replace(/[^\w.-]/g, '').slice(0, 100);
    return new BackupError(`the S3 store answered ${error.statusCode} ${code}`, { cause: error });
  }
  const isUnreachable = (error as Error).name === 'TypeError';
  return new BackupError(isUnreachable ? 'the S3 store does not answer' : "the S3 store's answer cannot be read", {
    cause: error,
  });
}

/** Creates the store that the settings select. */
export function createBackupStore({ s3, folder }: Pick<Config['backups'], 's3' | 'folder'>): BackupStore {
  return s3 ? new S3Store(s3) : new FolderStore(folder);
}

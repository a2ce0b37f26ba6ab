import { createCipheriv, createDecipheriv } from 'node:crypto';
import { EncryptionError } from './ciphertext';

const ALGORITHM = 'aes-256-gcm';
const TAG_BYTES = 16;

/** Plain bytes per chunk; the last one may be shorter. */
const CHUNK_BYTES = 64 * 1_024;

/** A stream of bytes in buffers of any size. */
export type Bytes = AsyncIterable<Buffer>;

/**
 * Encrypts a stream in chunks, each with its own tag, so that decryption needs one chunk in memory. The nonce contains
 * the index of the chunk and marks the last one: chunks cannot be moved, omitted or appended.
 * @param key 32 bytes, used for this stream only: nonces are counters
 * @param associated data to which every chunk is bound
 * @see Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption (2015), STREAM
 */
export async function* sealStream(key: Buffer, associated: Buffer, plain: Bytes): AsyncGenerator<Buffer> {
  for await (const { bytes, index, isLast } of chunks(plain, CHUNK_BYTES)) {
    const cipher = createCipheriv(ALGORITHM, key, buildNonce(index, isLast), { authTagLength: TAG_BYTES });
    cipher.setAAD(associated);
    yield Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  }
}

/**
 * Decrypts such a stream. Yields a chunk after checking its tag.
 * @throws EncryptionError when a byte, the order, the end, the key or `associated` differs from the encryption
 */
export async function* openStream(key: Buffer, associated: Buffer, sealed: Bytes): AsyncGenerator<Buffer> {
  for await (const { bytes, index, isLast } of chunks(sealed, CHUNK_BYTES + TAG_BYTES)) {
    if (bytes.length < TAG_BYTES) throw new EncryptionError('a sealed stream ends too early');
    const decipher = createDecipheriv(ALGORITHM, key, buildNonce(index, isLast), { authTagLength: TAG_BYTES });
    decipher.setAAD(associated);
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    let plain: Buffer;
    try {
      plain = Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]);
    } catch (cause) {
      throw new EncryptionError(`a sealed stream cannot be decrypted at chunk ${index}`, { cause });
    }
    yield plain;
  }
}

interface Chunk {
  readonly bytes: Buffer;
  readonly index: number;
  readonly isLast: boolean;
}

/** Splits a stream into chunks of one size. The last one may be shorter or empty. */
async function* chunks(source: Bytes, size: number): AsyncGenerator<Chunk> {
  let index = 0;
  let buffers: Buffer[] = [];
  let length = 0;
  for await (const buffer of source) {
    buffers.push(buffer);
    length += buffer.length;
    if (length <= size) continue;
    let all = Buffer.concat(buffers);
    // A full chunk may be the last: it waits for more bytes.
    for (; all.length > size; all = all.subarray(size))
      yield { bytes: all.subarray(0, size), index: index++, isLast: false };
    buffers = [all];
    length = all.length;
  }
  yield { bytes: Buffer.concat(buffers), index, isLast: true };
}

/** Builds a nonce: eleven bytes of counter, the twelfth marks the last chunk. */
function buildNonce(index: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64BE(BigInt(index), 3);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

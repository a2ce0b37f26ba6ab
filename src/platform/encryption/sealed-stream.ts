import { createCipheriv, createDecipheriv } from 'node:crypto';
import { EncryptionError } from './ciphertext';

const ALGORITHM = 'aes-256-gcm';
const TAG_BYTES = 16;

/** Plain bytes of a chunk; the last one may be shorter. */
const CHUNK_BYTES = 64 * 1_024;

/** A stream of bytes in pieces of any size. */
export type Bytes = AsyncIterable<Buffer>;

/**
 * Encrypts a stream in chunks, each with its own tag, so that it is read again without holding the whole. Its place is
 * part of a chunk's nonce, and so is whether it is the last: none can be moved, left out or added behind.
 * @param key 32 bytes, for this stream and no other: nonces are counted
 * @param associated what every chunk is bound to
 * @see Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption (2015), STREAM
 */
export async function* sealStream(key: Buffer, associated: Buffer, plain: Bytes): AsyncGenerator<Buffer> {
  for await (const { bytes, place, isLast } of chunks(plain, CHUNK_BYTES)) {
    const cipher = createCipheriv(ALGORITHM, key, nonceOf(place, isLast), { authTagLength: TAG_BYTES });
    cipher.setAAD(associated);
    yield Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  }
}

/**
 * Decrypts such a stream; each chunk is given on once its tag was found right.
 * @throws EncryptionError when a byte, the order, the end, the key or `associated` is not that of then
 */
export async function* openStream(key: Buffer, associated: Buffer, sealed: Bytes): AsyncGenerator<Buffer> {
  for await (const { bytes, place, isLast } of chunks(sealed, CHUNK_BYTES + TAG_BYTES)) {
    if (bytes.length < TAG_BYTES) throw new EncryptionError('a sealed stream ends too early');
    const decipher = createDecipheriv(ALGORITHM, key, nonceOf(place, isLast), { authTagLength: TAG_BYTES });
    decipher.setAAD(associated);
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    let plain: Buffer;
    try {
      plain = Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]);
    } catch (cause) {
      throw new EncryptionError(`a sealed stream does not open at chunk ${place}`, { cause });
    }
    yield plain;
  }
}

interface Chunk {
  readonly bytes: Buffer;
  readonly place: number;
  readonly isLast: boolean;
}

/** Cuts a stream into chunks of one size; there is always a last one, which may be shorter or empty. */
async function* chunks(source: Bytes, size: number): AsyncGenerator<Chunk> {
  let place = 0;
  let held: Buffer[] = [];
  let length = 0;
  for await (const piece of source) {
    held.push(piece);
    length += piece.length;
    if (length <= size) continue;
    let all = Buffer.concat(held);
    // A full chunk may be the last: it stays until there is something behind it.
    for (; all.length > size; all = all.subarray(size))
      yield { bytes: all.subarray(0, size), place: place++, isLast: false };
    held = [all];
    length = all.length;
  }
  yield { bytes: Buffer.concat(held), place, isLast: true };
}

/** Eleven bytes count, the twelfth tells the last chunk. */
function nonceOf(place: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64BE(BigInt(place), 3);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

import { randomBytes } from 'node:crypto';
import { collectBytes, splitIntoChunks } from '../../../test/support/byte-streams';
import { EncryptionError } from './ciphertext';
import { openStream, sealStream } from './sealed-stream';

const CHUNK = 64 * 1_024;
const key = randomBytes(32);
const context = Buffer.from('a context');

const sealed = (plain: Buffer, size = 10_000) => collectBytes(sealStream(key, context, splitIntoChunks(plain, size)));
const opened = (bytes: Buffer, { by = key, associated = context, size = 10_000 } = {}) =>
  collectBytes(openStream(by, associated, splitIntoChunks(bytes, size)));

describe('a sealed stream', () => {
  it.each([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7])(
    'of %d bytes is decrypted from chunks of any size',
    async (length) => {
      const plain = randomBytes(length);
      for (const size of [777, CHUNK, CHUNK + 16, 1_000_000]) {
        const bytes = await sealed(plain, size);
        expect(bytes).toHaveLength(length + 16 * Math.max(1, Math.ceil(length / CHUNK)));
        expect((await opened(bytes, { size })).equals(plain)).toBe(true);
      }
    },
  );

  it('is rejected with another byte, order, end, key or context', async () => {
    const bytes = await sealed(randomBytes(3 * CHUNK));
    const [first, second, third] = [0, 1, 2].map((n) => bytes.subarray(n * (CHUNK + 16), (n + 1) * (CHUNK + 16)));
    const flipped = (at: number) => Buffer.from(bytes.map((byte, i) => (i === at ? byte ^ 1 : byte)));
    const spoilt = [
      ...[0, CHUNK, 2 * CHUNK + 40, bytes.length - 1].map(flipped),
      bytes.subarray(0, -1),
      Buffer.concat([first!, second!]),
      Buffer.concat([second!, first!, third!]),
      Buffer.concat([first!, third!]),
      Buffer.concat([bytes, third!]),
      Buffer.concat([bytes, Buffer.from([0])]),
      Buffer.alloc(0),
    ];

    for (const one of spoilt) await expect(opened(one)).rejects.toThrow(EncryptionError);
    await expect(opened(bytes, { by: randomBytes(32) })).rejects.toThrow(EncryptionError);
    await expect(opened(bytes, { associated: Buffer.from('another context') })).rejects.toThrow(EncryptionError);
  });

  it('yields the bytes before a fault, and no more', async () => {
    const plain = randomBytes(2 * CHUNK);
    const bytes = await sealed(plain);
    bytes[CHUNK + 20]! ^= 1;
    const read: Buffer[] = [];

    await expect(
      (async () => {
        for await (const chunk of openStream(key, context, splitIntoChunks(bytes, 5_000))) read.push(chunk);
      })(),
    ).rejects.toThrow('chunk 1');
    expect(Buffer.concat(read).equals(plain.subarray(0, CHUNK))).toBe(true);
  });
});

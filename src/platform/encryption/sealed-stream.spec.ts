import { randomBytes } from 'node:crypto';
import { collectBytes, splitIntoChunks } from '../../../test/support/byte-streams';
import { EncryptionError } from './ciphertext';
import { openStream, sealStream } from './sealed-stream';

const CHUNK = 64 * 1_024;
const key = randomBytes(32);
const place = Buffer.from('a place');

const sealed = (plain: Buffer, size = 10_000) => collectBytes(sealStream(key, place, splitIntoChunks(plain, size)));
const opened = (bytes: Buffer, { by = key, at = place, size = 10_000 } = {}) =>
  collectBytes(openStream(by, at, splitIntoChunks(bytes, size)));

describe('a sealed stream', () => {
  it.each([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7])(
    'of %d bytes opens again, however it is cut on its way',
    async (length) => {
      const plain = randomBytes(length);
      for (const size of [777, CHUNK, CHUNK + 16, 1_000_000]) {
        const bytes = await sealed(plain, size);
        expect(bytes).toHaveLength(length + 16 * Math.max(1, Math.ceil(length / CHUNK)));
        expect((await opened(bytes, { size })).equals(plain)).toBe(true);
      }
    },
  );

  it('does not open when a byte, its order, its end, its key or its place is another', async () => {
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
    await expect(opened(bytes, { at: Buffer.from('another place') })).rejects.toThrow(EncryptionError);
  });

  it('gives on what was read before the fault, and no more', async () => {
    const plain = randomBytes(2 * CHUNK);
    const bytes = await sealed(plain);
    bytes[CHUNK + 20]! ^= 1;
    const read: Buffer[] = [];

    await expect(
      (async () => {
        for await (const piece of openStream(key, place, splitIntoChunks(bytes, 5_000))) read.push(piece);
      })(),
    ).rejects.toThrow('chunk 1');
    expect(Buffer.concat(read).equals(plain.subarray(0, CHUNK))).toBe(true);
  });
});

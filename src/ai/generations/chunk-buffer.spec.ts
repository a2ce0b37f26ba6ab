import { ChunkBuffer } from './chunk-buffer';

async function read(buffer: ChunkBuffer, after: number): Promise<string> {
  let text = '';
  for await (const chunk of buffer.follow(after, 1_000)) text += chunk?.text ?? '';
  return text;
}

describe(ChunkBuffer.name, () => {
  it('gives each reader the chunks after their last one, early or late', async () => {
    const buffer = new ChunkBuffer();
    const early = read(buffer, 0);
    buffer.append(1, 'a');
    buffer.append(2, 'b');
    const late = read(buffer, 1);
    await new Promise(setImmediate);
    buffer.append(3, 'c');
    buffer.close();

    expect(await Promise.all([early, late, read(buffer, 2), read(buffer, 3)])).toEqual(['abc', 'bc', 'c', '']);
  });

  it('orders chunks and ignores duplicates', async () => {
    const buffer = new ChunkBuffer(4);
    for (const [seq, text] of [
      [7, 'g'],
      [5, 'e'],
      [5, 'e'],
      [2, 'x'],
      [6, 'f'],
      [7, 'g'],
    ] as const)
      buffer.append(seq, text);
    buffer.close();

    expect(await read(buffer, 4)).toBe('efg');
  });

  it('yields null when no chunk arrives in time', async () => {
    const follower = new ChunkBuffer().follow(0, 5);

    expect((await follower.next()).value).toBeNull();
    await follower.return(undefined);
  });
});

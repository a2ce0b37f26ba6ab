import { Readable } from 'node:stream';

/** Rows as the body of an import. */
export function importBodyOf(rows: readonly unknown[]): AsyncIterable<Buffer> {
  return Readable.from([Buffer.from(JSON.stringify(rows))], { objectMode: true });
}

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { appendLeaves, HASH_BYTES, hashLeaves, MerkleTree, type Tile, type TileReader } from '../seals/merkle-tree';
import { type Checkpoint, parseCheckpoint } from '../seals/signed-note';
import { ENTRY_BYTES } from '../seals/tree-entries';

/** Entries or hashes of a full file. */
const WIDTH = 256;
const FULL_TILE_BYTES = WIDTH * HASH_BYTES;
const LENGTH_BYTES = 2;
const BUNDLED_BYTES = LENGTH_BYTES + ENTRY_BYTES;

/** A log as the files of C2SP tlog-tiles, which a web server can serve. @see https://c2sp.org/tlog-tiles */
export class TileDirectory {
  constructor(readonly path: string) {}

  /** Returns the published checkpoint; undefined in an empty directory. @throws Error when the file is none */
  readCheckpoint(): Checkpoint | undefined {
    const path = join(this.path, 'checkpoint');
    if (!existsSync(path)) return undefined;
    const note = readFileSync(path, 'utf8');
    return parseCheckpoint(note.slice(0, note.lastIndexOf('\n\n') + 1));
  }

  /**
   * Adds entries, and publishes the checkpoint over them last. Nothing is written when it does not cover them: the
   * entries or those in the directory are not those that it was signed for. Full files are never changed.
   * @throws Error then
   */
  async append(entries: Buffer, note: string): Promise<void> {
    const size = this.readCheckpoint()?.size ?? 0;
    const checkpoint = parseCheckpoint(note.slice(0, note.lastIndexOf('\n\n') + 1));
    const readStored = this.createTileReader(size);
    const tiles = await appendLeaves(size, hashLeaves(entries, ENTRY_BYTES), readStored);
    const changed = new Map(tiles.map(({ level, index, hashes }) => [`${level}/${index}`, hashes]));
    const read: TileReader = async (level, index) => changed.get(`${level}/${index}`) ?? readStored(level, index);
    const root = await new MerkleTree(checkpoint.size, read).root().catch(() => undefined);
    if (checkpoint.size !== size + entries.length / ENTRY_BYTES || !root?.equals(checkpoint.root))
      throw new Error(
        `The log does not extend the one in ${this.path}. Keep the directory: it shows what was changed.`,
      );
    for (const tile of tiles) this.writeTile(tile);
    this.writeBundles(size, entries);
    replaceFile(join(this.path, 'checkpoint'), note);
  }

  /** Reads the tiles of a tree of this size; a missing one is empty. */
  private createTileReader(size: number): TileReader {
    return (level, index) => {
      const path = join(this.path, 'tile', String(level), encodeIndex(index));
      const width = Math.floor(size / WIDTH ** level) % WIDTH;
      const found = [path, join(`${path}.p`, String(width))].find((each) => existsSync(each));
      return Promise.resolve(found === undefined ? Buffer.alloc(0) : readFileSync(found));
    };
  }

  private writeTile({ level, index, hashes }: Tile): void {
    const width = hashes.length === FULL_TILE_BYTES ? undefined : hashes.length / HASH_BYTES;
    this.write(join('tile', String(level), encodeIndex(index)), width, hashes);
  }

  private writeBundles(size: number, entries: Buffer): void {
    const first = Math.floor(size / WIDTH);
    const before = this.readBundle(first, size % WIDTH);
    const bundled = Buffer.concat([before, addLengths(entries)]);
    for (let at = 0; at < bundled.length; at += WIDTH * BUNDLED_BYTES) {
      const bundle = bundled.subarray(at, at + WIDTH * BUNDLED_BYTES);
      const width = bundle.length / BUNDLED_BYTES;
      const index = first + at / (WIDTH * BUNDLED_BYTES);
      this.write(join('tile', 'entries', encodeIndex(index)), width === WIDTH ? undefined : width, bundle);
    }
  }

  private readBundle(index: number, width: number): Buffer {
    if (width === 0) return Buffer.alloc(0);
    const path = join(this.path, 'tile', 'entries', encodeIndex(index));
    // A run that was interrupted may have completed the bundle.
    if (existsSync(path)) return readFileSync(path).subarray(0, width * BUNDLED_BYTES);
    return readFileSync(join(`${path}.p`, String(width)));
  }

  /** Writes a full file, which replaces its parts, or a part of `width`. */
  private write(name: string, width: number | undefined, bytes: Buffer): void {
    const path = join(this.path, name);
    if (width !== undefined) return replaceFile(join(`${path}.p`, String(width)), bytes);
    if (existsSync(path) && !readFileSync(path).equals(bytes)) throw new Error(`${path} would be changed.`);
    replaceFile(path, bytes);
    rmSync(`${path}.p`, { recursive: true, force: true });
  }
}

/** Returns the path of an index: `x001/x234/067` for 1234067. */
export function encodeIndex(index: number): string {
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  const groups = padded.match(/\d{3}/g)!;
  return groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/');
}

/** Returns entries, each after its length. */
function addLengths(entries: Buffer): Buffer {
  const count = entries.length / ENTRY_BYTES;
  const bundled = Buffer.allocUnsafe(count * BUNDLED_BYTES);
  for (let i = 0; i < count; i += 1) {
    bundled.writeUInt16BE(ENTRY_BYTES, i * BUNDLED_BYTES);
    entries.copy(bundled, i * BUNDLED_BYTES + LENGTH_BYTES, i * ENTRY_BYTES, (i + 1) * ENTRY_BYTES);
  }
  return bundled;
}

/** Replaces a file. A reader never sees a part of it. */
function replaceFile(path: string, content: string | Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.new`;
  writeFileSync(draft, content, { flush: true });
  renameSync(draft, path);
}

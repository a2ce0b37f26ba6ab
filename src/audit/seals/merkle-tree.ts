import { hash } from 'node:crypto';

/**
 * The Merkle tree of RFC 6962, section 2.1, stored in the tiles of C2SP tlog-tiles: a full tile has 256 hashes of one
 * level, and its root is one hash of the level above.
 * @see https://www.rfc-editor.org/rfc/rfc6962#section-2.1
 * @see https://c2sp.org/tlog-tiles
 */

/** Bytes of a hash. */
export const HASH_BYTES = 32;
const TILE_HEIGHT = 8;
const TILE_WIDTH = 256;
export const TILE_BYTES = TILE_WIDTH * HASH_BYTES;

const LEAF_PREFIX = Buffer.from([0]);

/** The input of an inner node's hash: a prefix and two hashes. It is filled and hashed without an await between. */
const node = Buffer.from([1, ...Buffer.alloc(2 * HASH_BYTES)]);

/** Consecutive hashes of one level; the last tile of a level may have less than 256. */
export interface Tile {
  /** 0 for the hashes of leaves; each further level is eight levels of the tree higher. */
  readonly level: number;
  readonly index: number;
  readonly hashes: Buffer;
}

/** Reads the hashes of a tile, those that a later tree added included. */
export type TileReader = (level: number, index: number) => Promise<Buffer>;

/** Returns the hash of a leaf. */
export function hashLeaf(entry: Buffer): Buffer {
  return hash('sha256', Buffer.concat([LEAF_PREFIX, entry]), 'buffer');
}

/** Returns the hashes of leaves whose entries have the same length and follow each other. */
export function hashLeaves(entries: Buffer, entryBytes: number): Buffer {
  const count = entries.length / entryBytes;
  const hashes = Buffer.allocUnsafe(count * HASH_BYTES);
  const prefixed = Buffer.alloc(1 + entryBytes);
  for (let i = 0; i < count; i += 1) {
    entries.copy(prefixed, 1, i * entryBytes, (i + 1) * entryBytes);
    hash('sha256', prefixed, 'buffer').copy(hashes, i * HASH_BYTES);
  }
  return hashes;
}

/** Returns the hash of an inner node. */
export function hashChildren(left: Buffer, right: Buffer): Buffer {
  left.copy(node, 1);
  right.copy(node, 1 + HASH_BYTES);
  return hash('sha256', node, 'buffer');
}

/** Returns the tiles that are new or larger in a tree of `size` leaves after the leaves with these hashes. */
export async function appendLeaves(size: number, leafHashes: Buffer, readTile: TileReader): Promise<Tile[]> {
  const changed: Tile[] = [];
  let count = size;
  for (let level = 0, added = leafHashes; added.length > 0; level += 1) {
    const first = Math.floor(count / TILE_WIDTH);
    const width = count % TILE_WIDTH;
    const before = width === 0 ? Buffer.alloc(0) : (await readTile(level, first)).subarray(0, width * HASH_BYTES);
    const hashes = Buffer.concat([before, added]);
    const tiles = split(hashes, TILE_BYTES).map((each, i): Tile => ({ level, index: first + i, hashes: each }));
    changed.push(...tiles);
    const full = tiles.filter((tile) => tile.hashes.length === TILE_BYTES);
    added = Buffer.concat(full.map((tile) => hashPerfect(tile.hashes)));
    count = first;
  }
  return changed;
}

function split(bytes: Buffer, length: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / length) }, (_, i) =>
    bytes.subarray(i * length, (i + 1) * length),
  );
}

/** Returns the root over 2ⁿ hashes. */
function hashPerfect(hashes: Buffer): Buffer {
  let level = hashes;
  const prefixed = Buffer.from([1, ...Buffer.alloc(2 * HASH_BYTES)]);
  while (level.length > HASH_BYTES) {
    const parents = Buffer.allocUnsafe(level.length / 2);
    for (let i = 0; i < level.length; i += 2 * HASH_BYTES) {
      level.copy(prefixed, 1, i, i + 2 * HASH_BYTES);
      hash('sha256', prefixed, 'buffer').copy(parents, i / 2);
    }
    level = parents;
  }
  return level;
}

/** The head of a tree to which leaves are added one by one, without its other hashes. */
export class TreeHead {
  size = 0;
  /** The roots of the largest perfect subtrees, from left to right. */
  private readonly subtrees: Buffer[] = [];

  /** @param onTileHash receives each hash of the tree's tiles once, those of a level in their order */
  constructor(private readonly onTileHash: (level: number, hash: Buffer) => void) {}

  add(leafHash: Buffer): void {
    let node = leafHash;
    let height = 0;
    this.onTileHash(0, node);
    for (let rest = this.size; rest % 2 === 1; rest = (rest - 1) / 2) {
      node = hashChildren(this.subtrees.pop()!, node);
      height += 1;
      if (height % TILE_HEIGHT === 0) this.onTileHash(height / TILE_HEIGHT, node);
    }
    this.subtrees.push(node);
    this.size += 1;
  }

  /** Returns the root hash. */
  root(): Buffer {
    return (
      this.subtrees.reduceRight<Buffer | undefined>(
        (right, left) => (right ? hashChildren(left, right) : left),
        undefined,
      ) ?? hash('sha256', '', 'buffer')
    );
  }
}

/** A tree of `size` leaves. Keeps each hash that it computes, so that many proofs cost little more than one. */
export class MerkleTree {
  private readonly ranges = new Map<string, Promise<Buffer>>();

  constructor(
    readonly size: number,
    private readonly readTile: TileReader,
  ) {}

  /** Returns the root hash. */
  root(): Promise<Buffer> {
    return this.size === 0 ? Promise.resolve(hash('sha256', '', 'buffer')) : this.hashRange(0, this.size);
  }

  /** Returns the path of RFC 6962, section 2.1.1, that proves the leaf with this index. */
  async proveInclusion(leaf: number): Promise<Buffer[]> {
    if (leaf < 0 || leaf >= this.size) throw new RangeError(`there is no leaf ${leaf} among ${this.size}`);
    const path: Buffer[] = [];
    for (let [start, end] = [0, this.size]; end - start > 1;) {
      const middle = start + largestPowerBelow(end - start);
      if (leaf < middle) {
        path.unshift(await this.hashRange(middle, end));
        end = middle;
      } else {
        path.unshift(await this.hashRange(start, middle));
        start = middle;
      }
    }
    return path;
  }

  /** Returns the proof of RFC 6962, section 2.1.2, that this tree extends the one of `size` leaves. */
  async proveConsistency(size: number): Promise<Buffer[]> {
    if (size < 1 || size > this.size) throw new RangeError(`a tree of ${this.size} leaves does not extend ${size}`);
    const proof: Buffer[] = [];
    let [start, end] = [0, this.size];
    while (size !== end) {
      const middle = start + largestPowerBelow(end - start);
      if (size <= middle) {
        proof.unshift(await this.hashRange(middle, end));
        end = middle;
      } else {
        proof.unshift(await this.hashRange(start, middle));
        start = middle;
      }
    }
    // The verifier knows the root of the smaller tree when it is a subtree of this one.
    if (start > 0) proof.unshift(await this.hashRange(start, end));
    return proof;
  }

  /** `start` is a multiple of the largest power of two up to the length of the range. */
  private hashRange(start: number, end: number): Promise<Buffer> {
    const name = `${start}-${end}`;
    let found = this.ranges.get(name);
    if (!found) this.ranges.set(name, (found = this.computeRange(start, end)));
    return found;
  }

  private async computeRange(start: number, end: number): Promise<Buffer> {
    const length = end - start;
    const level = Math.log2(length);
    if (Number.isInteger(level)) return this.hashSubtree(level, start / length);
    const middle = start + largestPowerBelow(length);
    return hashChildren(await this.hashRange(start, middle), await this.hashRange(middle, end));
  }

  private async hashSubtree(level: number, index: number): Promise<Buffer> {
    const width = 2 ** (level % TILE_HEIGHT);
    const first = index * width;
    const tile = Math.floor(first / TILE_WIDTH);
    const offset = (first % TILE_WIDTH) * HASH_BYTES;
    const hashes = await this.readTile(Math.floor(level / TILE_HEIGHT), tile);
    const found = hashes.subarray(offset, offset + width * HASH_BYTES);
    if (found.length !== width * HASH_BYTES) throw new RangeError(`the tile ${tile} of level ${level} is incomplete`);
    return hashPerfect(found);
  }
}

/** The size and the root of a tree. */
interface TreeState {
  readonly size: number;
  readonly root: Buffer;
}

/**
 * Returns whether the proof shows that the newer tree extends the older one. Each tree extends the empty one, without
 * a proof.
 * @see https://www.rfc-editor.org/rfc/rfc9162#section-2.1.4.2
 */
export function isExtension(older: TreeState, newer: TreeState, proof: readonly Buffer[]): boolean {
  if (older.size === 0) return proof.length === 0;
  if (older.size >= newer.size) return older.size === newer.size && proof.length === 0 && older.root.equals(newer.root);
  let [first, second] = [older.size - 1, newer.size - 1];
  for (; isOdd(first); second = half(second)) first = half(first);
  // The root of a perfect tree is not repeated in the proof.
  const [start, ...path] = first === 0 ? [older.root, ...proof] : proof;
  if (!start) return false;
  let [olderRoot, newerRoot] = [start, start];
  for (const hash of path) {
    if (second === 0) return false;
    if (isOdd(first) || first === second) {
      olderRoot = hashChildren(hash, olderRoot);
      newerRoot = hashChildren(hash, newerRoot);
      for (; !isOdd(first) && first !== 0; second = half(second)) first = half(first);
    } else {
      newerRoot = hashChildren(newerRoot, hash);
    }
    [first, second] = [half(first), half(second)];
  }
  return second === 0 && olderRoot.equals(older.root) && newerRoot.equals(newer.root);
}

/** Bit operators of JavaScript have 32 bits, and sizes have up to 53. */
function isOdd(value: number): boolean {
  return value % 2 === 1;
}

function half(value: number): number {
  return Math.floor(value / 2);
}

/** Returns the largest power of two below `length`, which is at least 2. */
function largestPowerBelow(length: number): number {
  return 2 ** Math.floor(Math.log2(length - 1));
}

import type { AdminReader } from '../../platform/database/system-database';
import type { Findings } from './findings';
import { HASH_BYTES, type Tile, TILE_BYTES } from './merkle-tree';

/** Tiles that one statement reads: 4 MB. */
const TILES_AT_ONCE = 512;

const LIST_TILES = `
  SELECT t.level, t.index, t.hashes
  FROM unnest($1::integer[], $2::bigint[]) AS wanted (level, index) JOIN audit.tiles t USING (level, index)`;

/** Compares the stored tiles with the hashes of a tree. */
export class TileVerifier {
  /** The last tile of each level, which is not full. */
  private readonly growing: Tile[] = [];
  private readonly counts: number[] = [];
  private full: Tile[] = [];

  constructor(
    private readonly read: AdminReader,
    private readonly findings: Findings,
  ) {}

  /** Adds the next hash of a level. */
  add(level: number, hash: Buffer): void {
    const tile = (this.growing[level] ??= { level, index: 0, hashes: Buffer.allocUnsafe(TILE_BYTES) });
    const count = this.counts[level] ?? 0;
    hash.copy(tile.hashes, count * HASH_BYTES);
    this.counts[level] = (count + 1) % (TILE_BYTES / HASH_BYTES);
    if (this.counts[level] > 0) return;
    this.full.push(tile);
    this.growing[level] = { level, index: tile.index + 1, hashes: Buffer.allocUnsafe(TILE_BYTES) };
  }

  /** Compares full tiles once there are many, and reports the others. */
  async compareFull(): Promise<void> {
    if (this.full.length < TILES_AT_ONCE) return;
    await this.compare(this.full);
    this.full = [];
  }

  /** Compares all tiles that were not compared yet. */
  async compareRest(): Promise<void> {
    const growing = this.growing.map((tile, level) => ({
      ...tile,
      hashes: tile.hashes.subarray(0, (this.counts[level] ?? 0) * HASH_BYTES),
    }));
    await this.compare([...this.full, ...growing.filter(({ hashes }) => hashes.length > 0)]);
    this.full = [];
  }

  private async compare(expected: readonly Tile[]): Promise<void> {
    const values = [expected.map(({ level }) => level), expected.map(({ index }) => index)];
    const stored = await this.read((unit) => unit.query<Tile>(LIST_TILES, values));
    const byPlace = new Map(stored.map((tile) => [`${tile.level}/${tile.index}`, tile.hashes]));
    for (const { level, index, hashes } of expected) {
      const place = `${level}/${index}`;
      // A seal that was stored after the last one read has added hashes.
      if (!byPlace.get(place)?.subarray(0, hashes.length).equals(hashes))
        this.findings.report(`tile ${place}`, 'its hashes are not those of the entries');
    }
  }
}

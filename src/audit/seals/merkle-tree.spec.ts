import { followConsistency, followInclusion, hashTree } from '../../../test/support/tree-proofs';
import { appendLeaves, hashLeaf, isExtension, MerkleTree, type TileReader } from './merkle-tree';

/** The leaves and results of the tests of Certificate Transparency, the first implementation of RFC 6962. */
const ENTRIES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const INCLUSION_0_OF_8 = [
  '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
  '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
  '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
];
const CONSISTENCY_6_TO_8 = [
  '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
  'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
];

const CONSISTENCY_2_TO_5 = [
  '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
  'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
];

/** Tiles in memory. */
class MemoryTiles {
  private readonly tiles = new Map<string, Buffer>();
  size = 0;

  readonly read: TileReader = (level, index) => Promise.resolve(this.tiles.get(`${level}/${index}`) ?? Buffer.alloc(0));

  async append(leafHashes: readonly Buffer[]): Promise<void> {
    const changed = await appendLeaves(this.size, Buffer.concat(leafHashes), this.read);
    for (const { level, index, hashes } of changed) this.tiles.set(`${level}/${index}`, hashes);
    this.size += leafHashes.length;
  }

  tree(size = this.size): MerkleTree {
    return new MerkleTree(size, this.read);
  }
}

const fromHex = (hashes: readonly string[]): Buffer[] => hashes.map((each) => Buffer.from(each, 'hex'));

const toHex = (hashes: readonly Buffer[]): string[] => hashes.map((each) => each.toString('hex'));

/** Returns the hashes of leaves that are their numbers. */
function numberLeaves(count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => hashLeaf(Buffer.from(String(i))));
}

describe(MerkleTree.name, () => {
  it('has the roots and proofs of the test vectors', async () => {
    const tiles = new MemoryTiles();
    const roots = [await tiles.tree().root()];
    for (const entry of ENTRIES) {
      await tiles.append([hashLeaf(Buffer.from(entry, 'hex'))]);
      roots.push(await tiles.tree().root());
    }

    expect(toHex(roots)).toEqual(ROOTS);
    expect(toHex(await tiles.tree().proveInclusion(0))).toEqual(INCLUSION_0_OF_8);
    expect(toHex(await tiles.tree().proveConsistency(1))).toEqual(INCLUSION_0_OF_8);
    expect(toHex(await tiles.tree().proveConsistency(6))).toEqual(CONSISTENCY_6_TO_8);
    expect(await tiles.tree().proveConsistency(8)).toEqual([]);
  });

  it('proves each leaf of each size, and the extension of each smaller tree', async () => {
    const leaves = numberLeaves(40);
    const tiles = new MemoryTiles();
    await tiles.append(leaves);

    for (let size = 1; size <= leaves.length; size += 1) {
      const tree = tiles.tree(size);
      const root = hashTree(leaves.slice(0, size));
      expect(await tree.root()).toEqual(root);
      for (let i = 0; i < size; i += 1) {
        const path = await tree.proveInclusion(i);
        expect(followInclusion(leaves[i]!, i, size, path)).toEqual(root);
      }
      for (let older = 1; older < size; older += 1) {
        const olderRoot = hashTree(leaves.slice(0, older));
        const proof = await tree.proveConsistency(older);
        expect(followConsistency(older, size, olderRoot, proof)).toEqual([olderRoot, root]);
      }
    }
  });

  it('is the same for leaves that arrive in parts, over several levels of tiles', async () => {
    const leaves = numberLeaves(66_000);
    const tiles = new MemoryTiles();
    for (const end of [1, 255, 256, 257, 1_000, 65_535, 65_536, 65_537, 66_000])
      await tiles.append(leaves.slice(tiles.size, end));
    const tree = tiles.tree();
    const root = hashTree(leaves);

    expect(await tree.root()).toEqual(root);
    for (const i of [0, 255, 256, 65_535, 65_536, 65_999])
      expect(followInclusion(leaves[i]!, i, 66_000, await tree.proveInclusion(i))).toEqual(root);
    for (const older of [1, 256, 1_000, 65_536, 65_999]) {
      const olderRoot = hashTree(leaves.slice(0, older));
      const proof = await tree.proveConsistency(older);
      expect(followConsistency(older, 66_000, olderRoot, proof)).toEqual([olderRoot, root]);
      expect(await tiles.tree(older).root()).toEqual(olderRoot);
    }
  });

  it('refuses leaves and trees that it does not have', async () => {
    const tiles = new MemoryTiles();
    await tiles.append(numberLeaves(3));

    await expect(tiles.tree().proveInclusion(3)).rejects.toThrow('no leaf 3 among 3');
    await expect(tiles.tree().proveConsistency(4)).rejects.toThrow('does not extend 4');
    await expect(tiles.tree(4).root()).rejects.toThrow('incomplete');
  });
});

describe(isExtension.name, () => {
  const ofSize = (size: number): { size: number; root: Buffer } => ({ size, root: Buffer.from(ROOTS[size]!, 'hex') });

  it.each<[older: number, newer: number, proof: string[]]>([
    [0, 0, []],
    [0, 8, []],
    [1, 1, []],
    [1, 8, INCLUSION_0_OF_8],
    [2, 5, CONSISTENCY_2_TO_5],
    [6, 8, CONSISTENCY_6_TO_8],
    [8, 8, []],
  ])('accepts the proof from %d to %d of the test vectors, and no other', (older, newer, proof) => {
    const hashes = fromHex(proof);

    expect(isExtension(ofSize(older), ofSize(newer), hashes)).toBe(true);
    expect(isExtension(ofSize(older), ofSize(newer), [...hashes, Buffer.alloc(32)])).toBe(false);
    for (const i of hashes.keys()) {
      expect(isExtension(ofSize(older), ofSize(newer), hashes.with(i, Buffer.alloc(32)))).toBe(false);
      expect(isExtension(ofSize(older), ofSize(newer), hashes.toSpliced(i, 1))).toBe(false);
    }
    if (older === 0) return;
    const other = { size: older, root: Buffer.alloc(32) };
    expect(isExtension(other, ofSize(newer), hashes)).toBe(false);
    expect(isExtension(ofSize(older), { size: newer, root: Buffer.alloc(32) }, hashes)).toBe(false);
    expect(isExtension({ ...ofSize(older), size: newer + 1 }, ofSize(newer), hashes)).toBe(false);
  });

  it('agrees with each proof of each pair of sizes, and refuses it for another pair', async () => {
    const leaves = numberLeaves(34);
    const tiles = new MemoryTiles();
    await tiles.append(leaves);
    const states = Array.from({ length: 35 }, (_, size) => ({ size, root: hashTree(leaves.slice(0, size)) }));

    for (let newer = 1; newer < states.length; newer += 1) {
      for (let older = 1; older <= newer; older += 1) {
        const proof = await tiles.tree(newer).proveConsistency(older);
        expect(isExtension(states[older]!, states[newer]!, proof)).toBe(true);
        const wrongSizes = { size: older - 1 || 34, root: states[older]!.root };
        expect(isExtension(wrongSizes, states[newer]!, proof)).toBe(false);
      }
    }
  });
});

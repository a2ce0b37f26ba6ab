import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { AdminReader } from '../../platform/database/system-database';
import { createTileReader } from './audit-sealer';
import { MerkleTree } from './merkle-tree';
import type { Checkpoint, NoteVerifier } from './signed-note';

/** The newest head of the log in a file (AUDIT_HEAD_FILE): a log that was cut or rewritten does not extend it. */
export class HeadFile {
  constructor(readonly path: string) {}

  get exists(): boolean {
    return existsSync(this.path);
  }

  /** Returns the head; undefined when the key has not signed it. */
  read(key: NoteVerifier): Checkpoint | undefined {
    return key.readCheckpoint(readFileSync(this.path, 'utf8'));
  }

  /** Replaces the file by a signed head. A reader never sees a part of it. */
  write(note: string): void {
    const draft = `${this.path}.${process.pid}`;
    try {
      writeFileSync(draft, note, { mode: 0o600, flush: true });
      renameSync(draft, this.path);
    } finally {
      rmSync(draft, { force: true });
    }
  }
}

/** Returns why the stored log does not extend a head, for a message; undefined when it does. */
export async function whyNotExtended(
  { size, root }: Checkpoint,
  treeSize: number,
  read: AdminReader,
): Promise<string | undefined> {
  if (size > treeSize) return `the log was cut: it has ${treeSize} entries and had ${size}`;
  const tree = new MerkleTree(size, (level, index) => read((unit) => createTileReader(unit)(level, index)));
  const found = await tree.root().catch(() => undefined);
  return found?.equals(root) ? undefined : `the log was rewritten before its entry ${size}`;
}

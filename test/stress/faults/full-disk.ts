import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, rmdirSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { changeOwner, isReachable, findServiceUser } from '../../../src/local-services/file-permissions';

const SIZE = '1g';

/** A small in-memory file system that can be filled; only root may mount one. */
export class FullDisk {
  private readonly mount: string;
  private readonly filler: string;

  private constructor() {
    const user = findServiceUser();
    this.mount = mkdtempSync(join(isReachable(tmpdir(), user) ? tmpdir() : '/tmp', 'gigvault-disk-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', this.mount]);
    chmodSync(this.mount, 0o755);
    mkdirSync(join(this.mount, 'services'));
    changeOwner(user, join(this.mount, 'services'));
    this.filler = join(this.mount, 'filler');
  }

  /** Mounts one; undefined where that is not allowed. */
  static mount(): FullDisk | undefined {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
    return new FullDisk();
  }

  /** The path of PostgreSQL's data folder, which does not exist yet. */
  get postgresFolder(): string {
    return join(this.mount, 'services', 'postgres');
  }

  /** Uses up the remaining space. */
  fill(): void {
    const file = openSync(this.filler, 'w');
    try {
      for (const block of [1024 * 1024, 4096]) writeUntilFull(file, Buffer.alloc(block));
    } finally {
      closeSync(file);
    }
  }

  /** Frees the space. */
  empty(): void {
    rmSync(this.filler, { force: true });
  }

  unmount(): void {
    execFileSync('umount', [this.mount]);
    rmdirSync(this.mount);
  }
}

function writeUntilFull(file: number, block: Buffer): void {
  try {
    for (;;) writeSync(file, block);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

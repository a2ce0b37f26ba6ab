import { type FSWatcher, readdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** An editor or a checkout writes several files; a change is reported once nothing has happened for this time. */
const SETTLE_MS = 50;

/**
 * Watches folders and their subfolders until `signal` is aborted. Each folder has its own watcher: the recursive watch
 * of Node 20 misses later changes of a file that an editor has replaced.
 */
export class SourceWatcher {
  private readonly watchers = new Map<string, FSWatcher>();
  private hasChanged = false;
  private wake: () => void = () => undefined;

  /** @param roots absolute paths */
  constructor(
    private readonly roots: readonly string[],
    private readonly signal: AbortSignal,
  ) {
    this.watchFolders();
    signal.addEventListener('abort', () => this.close(), { once: true });
  }

  /** Waits for a change since the last call. Returns false when the signal is aborted. */
  async waitForChange(): Promise<boolean> {
    while (!this.hasChanged && !this.signal.aborted) await new Promise<void>((resolve) => (this.wake = resolve));
    while (this.hasChanged && !this.signal.aborted) {
      this.hasChanged = false;
      await sleep(SETTLE_MS);
    }
    // A change may have added folders.
    this.watchFolders();
    return !this.signal.aborted;
  }

  /** Reports a change without one. */
  readonly notify = (): void => {
    this.hasChanged = true;
    this.wake();
  };

  private watchFolders(): void {
    if (this.signal.aborted) return;
    const folders = new Set(this.roots.flatMap(listFolders));
    for (const [folder, watcher] of this.watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.watchers.delete(folder);
    }
    for (const folder of folders) {
      if (!this.watchers.has(folder)) this.watchFolder(folder);
    }
  }

  private watchFolder(folder: string): void {
    const watcher = watch(folder, this.notify);
    // A removed folder; its parent reports the change.
    watcher.on('error', () => watcher.close());
    this.watchers.set(folder, watcher);
  }

  private close(): void {
    for (const watcher of this.watchers.values()) watcher.close();
    this.wake();
  }
}

function listFolders(root: string): string[] {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [root, ...entries.map((entry) => join(entry.parentPath, entry.name))];
}

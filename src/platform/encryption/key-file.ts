import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ConfigError } from '../config/load-config';

/** The master keys of an installation; `current` wraps, all unwrap. */
export interface KeyRing {
  readonly current: string;
  /** 32 bytes each, by id. */
  readonly keys: ReadonlyMap<string, Buffer>;
}

const KEY_BYTES = 32;
const CONTENT = z.object({ current: z.string(), keys: z.record(z.string().regex(/^[\w-]{1,32}$/), z.string()) });

/** Age of a lock left by a dead process; a change takes milliseconds. */
const LOCK_STALE_MS = 10_000;
const LOCK_POLL_INTERVAL_MS = 20;

/**
 * The file of the master keys, `{"current": "k1", "keys": {"k1": "<base64 of 32 bytes>"}}`. Its owner can read it, and
 * its group if the mode says so. It is replaced atomically and synced to disk before a change returns. Readers never
 * see a partial file, and a power failure loses no key in use.
 */
export class KeyFile {
  constructor(readonly path: string) {}

  /** Creates the file with these keys, unless it exists. */
  create(ring: KeyRing): void {
    const draft = this.write(ring);
    try {
      linkSync(draft, this.path);
      this.syncFolder();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(draft);
    }
  }

  /** A text that changes with the file (inode, time, mode). @throws ConfigError when the file is missing */
  get stamp(): string {
    const { ino, mtimeNs, mode } = this.inspect(() => statSync(this.path, { bigint: true }));
    return `${ino} ${mtimeNs} ${mode}`;
  }

  /** Reads the file. @throws ConfigError when it is missing, readable by others, or invalid */
  read(): KeyRing {
    const { mode } = this.inspect(() => statSync(this.path));
    if ((mode & 0o037) !== 0)
      throw this.problem(
        `other users may read ${this.path}: run chmod 600 on it, or 640 for a group of API and worker only`,
      );
    const text = this.inspect(() => readFileSync(this.path, 'utf8'));
    const content = CONTENT.safeParse(parseKeyRing(text)).data;
    const keys = new Map(Object.entries(content?.keys ?? {}).map(([id, key]) => [id, Buffer.from(key, 'base64')]));
    const isWhole =
      content !== undefined &&
      keys.has(content.current) &&
      [...keys.values()].every(({ length }) => length === KEY_BYTES);
    if (!isWhole) throw this.problem(`${this.path} is not a valid file of master keys`);
    return { current: content.current, keys };
  }

  /** Writes the file with these keys, whether or not it exists. */
  replace(ring: KeyRing): void {
    renameSync(this.write(ring), this.path);
    this.syncFolder();
  }

  /** Replaces the content by the result of `work`, one process at a time. @throws like `read`, and on write errors */
  async change(work: (ring: KeyRing) => KeyRing): Promise<void> {
    const lock = `${this.path}.lock`;
    while (!acquireLock(lock)) {
      if (isStale(lock)) rmSync(lock, { force: true });
      await sleep(LOCK_POLL_INTERVAL_MS);
    }
    try {
      this.replace(work(this.read()));
    } finally {
      rmSync(lock, { force: true });
    }
  }

  /** Writes a draft of the file and returns its path. */
  private write({ current, keys }: KeyRing): string {
    // The group may read the file when the launcher has given it to the worker; a rotation keeps that.
    const mode = (statSync(this.path, { throwIfNoEntry: false })?.mode ?? 0o600) & 0o640;
    const draft = `${this.path}.${randomBytes(6).toString('hex')}`;
    const content = { current, keys: Object.fromEntries([...keys].map(([id, key]) => [id, key.toString('base64')])) };
    const file = openSync(draft, 'wx', mode);
    try {
      fchmodSync(file, mode);
      writeSync(file, `${JSON.stringify(content, null, 2)}\n`);
      fsyncSync(file);
    } catch (error) {
      rmSync(draft);
      throw error;
    } finally {
      closeSync(file);
    }
    return draft;
  }

  /** Syncs the folder, so that the new name is on disk. */
  private syncFolder(): void {
    const folder = openSync(dirname(this.path), 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }

  private inspect<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw this.problem(
        `${(error as Error).message}; no secret can be decrypted without its keys: restore it from your copy`,
      );
    }
  }

  private problem(text: string): ConfigError {
    return new ConfigError([`ENCRYPTION_KEY_FILE: ${text}`]);
  }
}

/** Returns a new random master key. */
export function newMasterKey(): Buffer {
  return randomBytes(KEY_BYTES);
}

function parseKeyRing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function acquireLock(lock: string): boolean {
  try {
    closeSync(openSync(lock, 'wx', 0o600));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function isStale(lock: string): boolean {
  try {
    return Date.now() - statSync(lock).mtimeMs > LOCK_STALE_MS;
  } catch {
    return false;
  }
}

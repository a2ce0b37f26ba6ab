import { execFile } from 'node:child_process';
import { existsSync, type FSWatcher, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findDataFolder, findProjectRoot } from '../../local-services/data-folder';
import type { SupervisedServer } from './supervisor';

/** An editor or a checkout writes several files; a change is reported once nothing has happened for this time. */
const SETTLE_MS = 50;

/**
 * Watches folders and their subfolders until `signal` is aborted. Each folder has its own watcher: the recursive watch
 * of Node 20 misses later changes of a file that an editor has replaced.
 */
class SourceWatcher {
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

/** After this time a server is killed: a request or a task run may be cut off by a restart. */
const STOP_GRACE_MS = 1_000;

/** Sources that only a new start of the launcher applies. */
const LAUNCHER_SOURCES = /^src\/(?:cli|demo)\//;

/** The changed files that a message names; it counts the others. */
const MAX_NAMED_FILES = 3;

/** The end of a report after which the servers do not run, or run older sources. */
const WAITING = 'Waiting for the next change or `npm run migrate`, or press Enter.';

/** File of the data folder that exists for a moment after migrations: its creation restarts API and worker. */
const MIGRATED_FILE = 'migrated';

/** The fingerprint of each source of the last build, as build.cjs stores them. */
export type BuiltSources = Readonly<Record<string, string>>;

interface ReloaderOptions {
  /** The sources that API and worker run. */
  readonly built: BuiltSources;
  /** Prints a sentence. */
  readonly print: (text: string) => void;
  /** Called after each restart. Waits until the API is ready, or until the signal is aborted. */
  readonly onRestart: (signal: AbortSignal) => Promise<void>;
}

/**
 * Rebuilds and restarts API and worker after each change of a source and after migrations. A failed build changes
 * nothing, and a server that exits by itself is started again after the next change or migration.
 */
export class SourceReloader {
  private readonly stopping = new AbortController();
  private readonly watcher: SourceWatcher;
  private readonly finished: Promise<void>;
  private built: BuiltSources;
  private isRestarting = false;
  private isRestartRequested = false;
  /** Aborts the wait for the API of the previous restart. */
  private waiting = new AbortController();

  /** @param servers API and worker */
  constructor(
    readonly servers: readonly SupervisedServer[],
    private readonly options: ReloaderOptions,
  ) {
    this.built = options.built;
    const roots = ['src', 'typeorm-migrations'].map((folder) => join(findProjectRoot(), folder));
    this.watcher = new SourceWatcher(roots, this.stopping.signal);
    for (const server of servers) {
      this.reportExit(server);
      server.prepare();
    }
    watch(findDataFolder(), { signal: this.stopping.signal }, (_event, file) => {
      if (file === MIGRATED_FILE) this.restart();
    });
    // A source may have changed since the start of the servers.
    this.watcher.notify();
    this.finished = this.run();
  }

  /** Restarts API and worker without a change. */
  restart(): void {
    this.isRestartRequested = true;
    this.watcher.notify();
  }

  /** Stops watching and waits for a restart in progress. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.waiting.abort();
    await this.finished;
    for (const server of this.servers) server.discardNext();
  }

  private async run(): Promise<void> {
    while (await this.watcher.waitForChange()) await this.reload();
  }

  private async reload(): Promise<void> {
    const startedAt = Date.now();
    const problem = await build(this.stopping.signal);
    if (this.stopping.signal.aborted) return;
    if (problem !== undefined) return this.options.print(`${problem}\n${WAITING}`);
    const files = this.findChangedFiles();
    if (!this.needsRestart(files)) return;
    this.options.print(`${describeFiles(files)}Restarting API and worker …`);
    await this.restartServers();
    void this.reportReadiness(startedAt);
  }

  /** Returns true when API and worker run older sources, or at a request. */
  private needsRestart(files: readonly string[]): boolean {
    if (this.isRestartRequested) {
      this.isRestartRequested = false;
      return true;
    }
    const isOnlyLauncher = files.every((file) => LAUNCHER_SOURCES.test(file));
    if (isOnlyLauncher && files.length > 0) this.options.print(`${describeFiles(files)}Start again to apply it.`);
    return !isOnlyLauncher;
  }

  /** Returns the sources that differ from those of the running servers, and remembers the built ones. */
  private findChangedFiles(): string[] {
    const [before, after] = [this.built, readBuiltSources()];
    this.built = after;
    return Object.keys({ ...before, ...after }).filter((file) => before[file] !== after[file]);
  }

  private async restartServers(): Promise<void> {
    const { servers } = this;
    this.isRestarting = true;
    await Promise.all(servers.map((server) => server.stop(STOP_GRACE_MS)));
    this.isRestarting = false;
    if (this.stopping.signal.aborted) return;
    await Promise.all(servers.map((server) => server.start()));
    for (const server of servers) this.reportExit(server);
  }

  private async reportReadiness(startedAt: number): Promise<void> {
    this.waiting.abort();
    const { signal } = (this.waiting = new AbortController());
    try {
      await this.options.onRestart(signal);
      this.options.print(`Ready again after ${((Date.now() - startedAt) / 1_000).toFixed(1)} s.`);
      // Not before: loading packages would delay the restart.
      for (const server of this.servers) server.prepare();
    } catch (error) {
      if (!signal.aborted) this.options.print(`The API is not ready: ${(error as Error).message}.`);
    }
  }

  /** Prints the end of the log when the server exits by itself. */
  private reportExit(server: SupervisedServer): void {
    void server.exited.then((how) => {
      if (this.isRestarting || this.stopping.signal.aborted) return;
      this.options.print(`${server.title} ended (${how}):\n${server.readLogTail()}\n${WAITING}`);
    });
  }
}

/** Compiles the changed sources in a process of its own. Returns the compiler's errors; undefined without one. */
function build(signal: AbortSignal): Promise<string | undefined> {
  const root = findProjectRoot();
  return new Promise((resolve) => {
    execFile(process.execPath, [join('src', 'cli', 'build.cjs')], { cwd: root, signal }, (error, _output, errors) => {
      resolve(error ? errors.trim() || error.message : undefined);
    });
  });
}

/** Returns a sentence with the first changed files; empty without one. */
function describeFiles(files: readonly string[]): string {
  if (files.length === 0) return '';
  const others = files.length > MAX_NAMED_FILES ? ` and ${files.length - MAX_NAMED_FILES} more` : '';
  return `Changed: ${files.slice(0, MAX_NAMED_FILES).join(', ')}${others}. `;
}

/** Restarts API and worker of an `npm run dev` that runs on the data folder. Called after migrations. */
export function reportMigrations(): void {
  const folder = findDataFolder();
  if (!existsSync(join(folder, 'services.json'))) return;
  writeFileSync(join(folder, MIGRATED_FILE), '');
  rmSync(join(folder, MIGRATED_FILE));
}

/** Returns the sources of the last build. */
export function readBuiltSources(): BuiltSources {
  const text = readFileSync(join(findProjectRoot(), 'dist', '.build.json'), 'utf8');
  return (JSON.parse(text) as { files: BuiltSources }).files;
}

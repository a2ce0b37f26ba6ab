import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/** Is a small process that outlives ours only to clean up after it. */
export interface Watchdog {
  /** Sends it home: there is nothing left to clean up. */
  dismiss(): void;
}

/**
 * Ends the processes and removes the folder as soon as this process is gone, even by kill -9: the watchdog reads from
 * a pipe whose other end only we hold, and meets its end when we do.
 */
export function startWatchdog(pids: readonly number[], folder: string): Watchdog {
  const script =
    'read -r line; [ "$line" = dismissed ] && exit; folder=$1; shift; kill -9 "$@"; sleep 1; rm -rf "$folder"';
  const child = spawn('/bin/sh', ['-c', script, 'watchdog', folder, ...pids.map(String)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.unref();
  (child.stdin as unknown as Socket).unref();
  return { dismiss: () => child.stdin.end('dismissed\n') };
}

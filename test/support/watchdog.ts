import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/** A small process that outlives this one only to clean up after it. */
export interface Watchdog {
  /** Stops the watchdog when there is nothing left to clean up. */
  dismiss(): void;
}

/**
 * Ends the processes and removes the folder as soon as this process is gone, even by kill -9. The watchdog reads from a
 * pipe whose other end only this process has open, and sees its end.
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

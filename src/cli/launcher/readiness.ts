import { setTimeout as sleep } from 'node:timers/promises';

/** Returns the URL of the API for programs on this machine. */
export function buildApiUrl(host: string, port: number): string {
  const everywhere = ['0.0.0.0', '::', ''].includes(host);
  const name = everywhere ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}

/** Time limits of a start. */
export interface ReadinessTimeouts {
  /** Longest time without any progress. */
  readonly idleMs: number;
  /** Longest total time: a process in an endless loop makes progress, too. */
  readonly totalMs: number;
}

const DEFAULT_TIMEOUTS: ReadinessTimeouts = { idleMs: 60_000, totalMs: 15 * 60_000 };

/**
 * Waits until /health/ready answers 200, as long as there is progress: first a change of `progress`, then, once the API
 * answers, a change of its answers. A start on a busy machine is slow but is not aborted.
 * @param progress returns a text that changes when the process makes progress
 * @returns undefined when the API is ready, otherwise the reason to give up
 */
export async function waitUntilReady(
  api: string,
  progress: () => string,
  signal: AbortSignal,
  { idleMs, totalMs }: ReadinessTimeouts = DEFAULT_TIMEOUTS,
): Promise<string | undefined> {
  const startedAt = Date.now();
  let seen = { mark: '', at: startedAt };
  while (Date.now() - startedAt < totalMs) {
    signal.throwIfAborted();
    const answer = await probe(`${api}/health/ready`);
    if (answer?.isReady) return undefined;
    const mark = answer?.text ?? progress();
    if (mark !== seen.mark) seen = { mark, at: Date.now() };
    else if (Date.now() - seen.at > idleMs) {
      const what = answer ? `it answers ${answer.text}` : 'it does not answer';
      return `${what}, without any progress for ${idleMs / 1_000} s`;
    }
    await sleep(50);
  }
  return `it was not ready after ${totalMs / 60_000} minutes`;
}

async function probe(url: string): Promise<{ isReady: boolean; text: string } | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(3_000) });
    return { isReady: response.status === 200, text: await response.text() };
  } catch {
    // Not listening yet.
    return undefined;
  }
}

import { setTimeout as sleep } from 'node:timers/promises';

/** Returns the address of the API as a program on this machine reaches it. */
export function apiUrl(host: string, port: number): string {
  const everywhere = ['0.0.0.0', '::', ''].includes(host);
  const name = everywhere ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}

/** Returns true as soon as /health/ready answers 200, false when it has not within `limitMs`. */
export async function becomesReady(api: string, limitMs: number, signal: AbortSignal): Promise<boolean> {
  const deadline = Date.now() + limitMs;
  while (Date.now() < deadline) {
    signal.throwIfAborted();
    try {
      const answer = await fetch(`${api}/health/ready`, { signal: AbortSignal.timeout(3_000) });
      await answer.arrayBuffer();
      if (answer.status === 200) return true;
    } catch {
      // Not listening yet.
    }
    await sleep(50);
  }
  return false;
}

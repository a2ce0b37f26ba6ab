/** Runs `work` and returns how long the event loop of this process did nothing else, at most, in milliseconds. */
export async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  const look = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(look, 1);
  try {
    await work();
    // The turn that ended the work counts too.
    await new Promise(setImmediate);
    look();
  } finally {
    clearInterval(timer);
  }
  return longest;
}

/** Milliseconds this machine takes at this moment to parse JSON of so many bytes and to look at each value. */
export function timeToWalk(bytes: number): number {
  const json = `[${'{"a":1},'.repeat(bytes / 8)}{}]`;
  const began = performance.now();
  let values = 0;
  const walk = (value: unknown): void => {
    values += 1;
    if (typeof value === 'object' && value !== null) Object.values(value).forEach(walk);
  };
  walk(JSON.parse(json));
  return values > 0 ? performance.now() - began : Infinity;
}

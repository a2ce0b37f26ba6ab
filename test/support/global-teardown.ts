import type { RunningServices } from './global-setup';

/** Stops what global setup started. */
export default async function globalTeardown(): Promise<void> {
  await (globalThis as { gigvaultServices?: RunningServices }).gigvaultServices?.stop();
}

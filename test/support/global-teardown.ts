import type { StartedServices } from './global-setup';

/** Stops what global setup started. */
export default async function globalTeardown(): Promise<void> {
  await (globalThis as { gigvaultServices?: StartedServices }).gigvaultServices?.stop();
}

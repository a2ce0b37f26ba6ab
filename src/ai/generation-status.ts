/** Where a generation can stand; the CHECK of ai_generations.status lists the same. */
export const GENERATION_STATUSES = ['pending', 'running', 'succeeded', 'failed', 'cancelled'] as const;

/** Where a generation stands. */
export type GenerationStatus = (typeof GENERATION_STATUSES)[number];

/** Whether it will change no more. */
export function isOver(status: GenerationStatus): boolean {
  return status !== 'pending' && status !== 'running';
}

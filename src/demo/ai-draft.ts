import type { ApiClient } from './api-client';
import type { Screen } from './screen';

interface Models {
  readonly items: readonly { readonly isAvailable: boolean }[];
}

interface Generation {
  readonly id: number;
  readonly text: string;
  readonly provider: string;
  readonly model: string;
  readonly costUsd: string;
  readonly findings: readonly { readonly message: string }[];
}

/**
 * Lets an AI vendor write the letter of a draft and accepts it, within the budget; without a vendor it says how to get the
 * fake one, and the letter stays as it is.
 */
export async function draftWithAi(api: ApiClient, screen: Screen, jobId: number, proposalId: number): Promise<void> {
  const { items } = await api.get<Models>('/v1/ai/models');
  if (!items.some(({ isAvailable }) => isAvailable)) {
    screen.line('no AI vendor is configured; `npm start -- --fake-ai` brings one that works offline');
    return;
  }
  const generation = await api.post<Generation>('/v1/ai/generations', { type: 'cover_letter', jobId });
  screen.line(`${generation.provider}, ${generation.model}: "${generation.text.slice(0, 120)}…"`);
  for (const { message } of generation.findings) screen.line(`look at it: ${message}`);
  await api.post(`/v1/ai/generations/${generation.id}/accept`, { proposalId });
  screen.good(`written for ${generation.costUsd} USD, and now the letter of #${proposalId}`);
}

import { type ApiClient, ignoreProblem } from './api-client';
import type { Terminal } from './terminal';

interface ModelList {
  readonly items: readonly { readonly isAvailable: boolean }[];
}

interface TemplateList {
  readonly items: readonly { readonly id: number }[];
}

interface Generation {
  readonly id: number;
  readonly text: string;
  readonly provider: string;
  readonly model: string;
  readonly costUsd: string;
  readonly screeningAnswers: readonly string[];
  readonly findings: readonly { readonly message: string }[];
}

const PROFILE = {
  headline: 'Backend engineer for data platforms',
  overview: 'I build pipelines and databases that stay fast.',
  skills: ['PostgreSQL', 'TypeScript', 'Python'],
  hourlyRate: '55.00',
  experienceYears: 9,
};

const TEMPLATE = { name: 'Short and warm', type: 'cover_letter', body: 'Hello, I have done this before: …' };

/** Stores what AI drafts use: the profile, and a template unless an earlier run has created it. */
export async function storeDraftingTexts(api: ApiClient, terminal: Terminal): Promise<void> {
  terminal.printHeading('A profile and a template');
  await api.put('/v1/profile', PROFILE);
  await api.post('/v1/templates', TEMPLATE).catch(ignoreProblem('template.already_exists'));
  terminal.printSuccess(`"${PROFILE.headline}"; template "${TEMPLATE.name}"`);
}

/**
 * Generates the cover letter of a draft with an AI provider, within the budget, and accepts it. Returns the letter;
 * undefined when no provider is configured.
 */
export async function draftWithAi(
  api: ApiClient,
  terminal: Terminal,
  jobId: number,
  proposalId: number,
): Promise<string | undefined> {
  const { items: models } = await api.get<ModelList>('/v1/ai/models');
  if (!models.some(({ isAvailable }) => isAvailable)) return undefined;
  const { items: templates } = await api.get<TemplateList>('/v1/templates');
  const request = { type: 'cover_letter', jobId, templateId: templates[0]?.id ?? null };
  const generation = await api.post<Generation>('/v1/ai/generations', request);
  terminal.printLine(`${generation.provider}, ${generation.model}: "${generation.text.slice(0, 120)}…"`);
  for (const answer of generation.screeningAnswers) terminal.printLine(`answers a screening question: "${answer}"`);
  for (const { message } of generation.findings) terminal.printLine(`check this: ${message}`);
  const { letter } = await api.post<{ letter: string }>(`/v1/ai/generations/${generation.id}/accept`, { proposalId });
  terminal.printSuccess(`written for ${generation.costUsd} USD; it is now the cover letter of #${proposalId}`);
  return letter;
}

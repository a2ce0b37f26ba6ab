import { readEvents, joinText } from '../../support/server-sent-events';
import type { AiInstallation } from './ai-installation';
import { waitFor } from '../../support/wait-for';

/** An API process that was killed with SIGKILL during a call. */
export interface AiKill {
  readonly model: string;
  readonly chunksBefore: number;
  /** Chunks that the client got from the other process: stored but not sent by the killed one. */
  readonly chunksAfter: number;
  /** True when both parts together are a prefix of the provider's text, without gap or repetition. */
  readonly isWhole: boolean;
  readonly finalStatus: string;
  readonly costUsd: string;
  readonly reservedUsd: string;
  readonly secondsToEnd: number;
  /** Calls that the provider received; more than one would be a second call. */
  readonly vendorCalls: number;
}

/** How calls are orphaned. */
export interface AiKillsOptions {
  /** One kill for each of these models. */
  readonly models: readonly string[];
  /**
   * True: the database ages the killed call and a worker polls every second, instead of waiting for the real interval.
   */
  readonly isAged: boolean;
}

const CHUNKS = Array.from({ length: 2_000 }, (_, i) => `word${i} `);

/** Kills an API process with SIGKILL during a stream, resumes on another, and waits for the end of the row. */
export async function stressAiKills(installation: AiInstallation, options: AiKillsOptions): Promise<AiKill[]> {
  if (options.isAged) await installation.work('* * * * * *');
  const results: AiKill[] = [];
  for (const model of options.models) results.push(await kill(installation, model, options));
  return results;
}

async function kill(installation: AiInstallation, model: string, { isAged }: AiKillsOptions): Promise<AiKill> {
  const { fake } = installation;
  const user = await installation.createUser();
  const victim = await installation.process();
  fake.setBehaviour(() => ({ chunks: CHUNKS, pauseMs: 25 }));
  fake.invoices.length = 0;
  const request = { token: user.token!, method: 'POST', body: { type: 'cover_letter', model } } as const;
  const reading = readEvents(`${victim.url}/v1/ai/generations`, request);
  await waitFor('usage is stored', () => hasStoredUsage(installation));
  process.kill(victim.pid, 'SIGKILL');
  const killedAt = performance.now();
  const { events, location } = await reading;
  if (isAged)
    await installation.query(
      `UPDATE ai_runs SET started_at = started_at - interval '15 seconds', seen_at = seen_at - interval '15 seconds'`,
    );
  const last = String(events.at(-1)!.id);
  const resumed = await readEvents(`${installation.url}${location}/stream`, {
    token: user.token!,
    headers: { 'last-event-id': last },
  });
  const secondsToEnd = Math.round((performance.now() - killedAt) / 100) / 10;
  const { body: row } = await user.get(location);
  const { body: usage } = await user.get('/v1/ai/usage');
  const text = joinText(events) + joinText(resumed.events);
  return {
    model,
    chunksBefore: events.length,
    chunksAfter: resumed.events.filter(({ event }) => event === 'delta').length,
    isWhole: CHUNKS.join('').startsWith(text) && resumed.events.at(-1)!.event === 'done',
    finalStatus: row.status,
    costUsd: row.costUsd,
    reservedUsd: usage.reservedUsd,
    secondsToEnd,
    vendorCalls: fake.invoices.length,
  };
}

/** Returns whether the process stored the usage of its text so far, which it does every two seconds. */
async function hasStoredUsage(installation: AiInstallation): Promise<boolean> {
  const runs = await installation.query('SELECT 1 FROM ai_runs WHERE output_ai_tokens > 0');
  return runs.length > 0;
}

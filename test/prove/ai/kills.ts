import { setTimeout as sleep } from 'node:timers/promises';
import { readEvents, textOf } from '../../support/events';
import type { AiInstallation } from './ai-installation';

/** One API process killed by SIGKILL while it wrote. */
export interface AiKill {
  readonly model: string;
  readonly piecesBefore: number;
  /** Pieces the client got from the other process, that the killed one had stored and not sent. */
  readonly piecesAfter: number;
  /** Whether both together are a beginning of what the vendor sent, without a gap or a repetition. */
  readonly isWhole: boolean;
  readonly finalStatus: string;
  readonly costUsd: string;
  readonly reservedUsd: string;
  readonly secondsToEnd: number;
  /** Calls the vendor got; more than one would be a second call. */
  readonly vendorCalls: number;
}

const PIECES = Array.from({ length: 2_000 }, (_, i) => `word${i} `);

/** Kills an API process with SIGKILL in the middle of a stream, resumes on another, and waits for the end of the row. */
export async function proveAiKills(installation: AiInstallation, models: readonly string[]): Promise<AiKill[]> {
  const results: AiKill[] = [];
  for (const model of models) results.push(await kill(installation, model));
  return results;
}

async function kill(installation: AiInstallation, model: string): Promise<AiKill> {
  const { fake } = installation;
  const user = await installation.user();
  const victim = await installation.process();
  fake.behave(() => ({ pieces: PIECES, pauseMs: 25 }));
  fake.bills.length = 0;
  const request = { token: user.token!, method: 'POST', body: { type: 'cover_letter', model } } as const;
  const reading = readEvents(`${victim.url}/v1/ai/generations`, request);
  await sleep(3_500);
  process.kill(victim.pid, 'SIGKILL');
  const killedAt = performance.now();
  const { events, location } = await reading;
  const last = String(events.at(-1)!.id);
  const resumed = await readEvents(`${installation.services.api}${location}/stream`, { token: user.token!, headers: { 'last-event-id': last } });
  const secondsToEnd = Math.round((performance.now() - killedAt) / 100) / 10;
  const { body: row } = await user.get(location);
  const { body: usage } = await user.get('/v1/ai/usage');
  const text = textOf(events) + textOf(resumed.events);
  return {
    model,
    piecesBefore: events.length,
    piecesAfter: resumed.events.filter(({ event }) => event === 'delta').length,
    isWhole: PIECES.join('').startsWith(text) && resumed.events.at(-1)!.event === 'done',
    finalStatus: row.status,
    costUsd: row.costUsd,
    reservedUsd: usage.reservedUsd,
    secondsToEnd,
    vendorCalls: fake.bills.length,
  };
}

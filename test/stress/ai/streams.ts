import { readFileSync } from 'node:fs';
import type { Caller } from '../../support/caller';
import type { AiInstallation } from './ai-installation';
import { pause, waitFor } from '../../support/wait-for';

/** The number of streams, of observations while all wait, and the interval in which their first chunks come. */
export interface StreamsOptions {
  readonly streams: number;
  readonly samples: number;
  readonly spreadMs: number;
  /** Time between the chunks of a stream. With many streams, one a second is half the capacity of one process. */
  readonly pauseMs: number;
}

const CHUNKS = 10;

/** Streams that may open concurrently; the API answers 429 when more than 104 requests of a user need a connection. */
const MAX_OPENING = 40;

/** What many streams on one process need. */
export interface StreamsResult {
  readonly streams: number;
  readonly complete: number;
  readonly peakMemoryMb: number;
  /**
   * CPU of the process for one chunk, from the provider's bytes to the reader's; separates a slow server from a busy
   * machine.
   */
  readonly cpuMsPerChunk: number;
  readonly firstChunkMedianMs: number;
  readonly firstChunkP95Ms: number;
  /** Connections of gigvault_app in use, sampled while all streams waited for their first chunk. */
  readonly connectionsWhileWaiting: { readonly samples: number; readonly inTransaction: number; readonly busy: number };
}

/** Opens many streams on one API process and measures its memory, delay and connections. */
export async function stressStreams(
  installation: AiInstallation,
  { streams, samples, spreadMs, pauseMs }: StreamsOptions,
): Promise<StreamsResult> {
  const { fake } = installation;
  const { url, pid } = await installation.process();
  const user = await installation.createUser();
  const sentAt = new Map<string, number>();
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  fake.setBehaviour(({ prompt }) => {
    const mark = findMarker(prompt);
    return {
      chunks: Array.from({ length: CHUNKS }, (_, i) => `piece ${i} `),
      waitFor: released,
      firstDelayMs: Math.random() * spreadMs,
      pauseMs,
      onChunk: (index) => index === 0 && sentAt.set(mark, performance.now()),
    };
  });
  const readings: Promise<{ mark: string; firstAt: number; isComplete: boolean }>[] = [];
  for (let n = 0; n < streams; n += 1) {
    readings.push(read(url, user, `[stream ${n}]`));
    await waitFor('fewer calls are opening', () => n - fake.countOpenCalls() < MAX_OPENING);
  }
  let peak = 0;
  const memory = setInterval(() => (peak = Math.max(peak, readRssMb(pid))), 200);
  await waitFor('all calls are open', () => fake.countOpenCalls() >= streams);
  // The last stream has its row by now; its transaction may still be ending.
  await waitFor('no connection is busy', async () => (await readBusyConnections(installation)).length === 0);
  const connections = await watchConnections(installation, samples);
  const computed = readCpuMs(pid);
  release();
  const done = await Promise.all(readings);
  clearInterval(memory);
  const cpuMsPerPiece = (readCpuMs(pid) - computed) / (streams * CHUNKS);
  const delays = done.map(({ mark, firstAt }) => firstAt - sentAt.get(mark)!).sort((a, b) => a - b);
  return {
    streams,
    complete: done.filter(({ isComplete }) => isComplete).length,
    peakMemoryMb: Math.round(peak),
    cpuMsPerChunk: Math.round(cpuMsPerPiece * 1_000) / 1_000,
    firstChunkMedianMs: round(delays[Math.floor(delays.length / 2)]!),
    firstChunkP95Ms: round(delays[Math.floor(delays.length * 0.95)]!),
    connectionsWhileWaiting: connections,
  };
}

/** Reads a stream as a client would; the time of its first chunk is that of its bytes. */
async function read(
  url: string,
  user: Caller,
  mark: string,
): Promise<{ mark: string; firstAt: number; isComplete: boolean }> {
  const response = await fetch(`${url}/v1/ai/generations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${user.token}`, accept: 'text/event-stream', 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'cover_letter', model: 'gpt-4o-mini', instructions: mark }),
  });
  if (response.status !== 200) throw new Error(`${mark} was answered ${response.status}: ${await response.text()}`);
  let firstAt = 0;
  let text = '';
  for await (const chunk of response.body!) {
    text += Buffer.from(chunk).toString();
    if (firstAt === 0 && text.includes('event: delta')) firstAt = performance.now();
  }
  return { mark, firstAt, isComplete: text.includes('event: done') && text.includes('"status":"succeeded"') };
}

async function watchConnections(
  installation: AiInstallation,
  samples: number,
): Promise<StreamsResult['connectionsWhileWaiting']> {
  const result = { samples, inTransaction: 0, busy: 0 };
  for (let sample = 0; sample < samples; sample += 1) {
    const rows = await readBusyConnections(installation);
    result.inTransaction += rows.filter(({ state }) => state.startsWith('idle in transaction')).length;
    result.busy += rows.length;
    await pause(50, 'the connections are sampled at intervals');
  }
  return result;
}

/** Reads the connections of all tenants: nothing else uses the database. */
function readBusyConnections(installation: AiInstallation): Promise<{ state: string }[]> {
  return installation.query<{ state: string }>(
    `SELECT state FROM pg_stat_activity
     WHERE datname = current_database() AND usename = 'gigvault_app' AND state <> 'idle'`,
  );
}

function readRssMb(pid: number): number {
  const [, kilobytes = '0'] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

/** Returns user and system time so far; the kernel counts in hundredths of a second. */
function readCpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function findMarker(prompt: string): string {
  return /\[stream \d+\]/.exec(prompt)?.[0] ?? '';
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}

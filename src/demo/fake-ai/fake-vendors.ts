import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { countFakeTokens, calculateFakeCost, type FakeInvoice } from './fake-invoice';
import {
  buildFakeErrorEvent,
  buildFakeEvents,
  readFakeRequest,
  type VendorRequestBody,
  type FakeEvent,
  type FakeResponseOverride,
  type FakeRequest,
} from './fake-protocols';

/** What every text of the fake begins with, so that nobody takes it for a model's. */
export const FAKE_MARKER = '[FAKE: written by the fake vendor, not by a model]';

/** How a call goes. */
export interface FakeBehaviour {
  /** Pieces the text is sent in; a marked letter unless told otherwise. */
  readonly chunks?: readonly string[];
  /** Pause before the first event, and before each of the others. */
  readonly firstDelayMs?: number;
  readonly pauseMs?: number;
  /** Waits for this before the first event. */
  readonly waitFor?: Promise<unknown>;
  /** Refuses with this status. */
  readonly status?: number;
  /** Breaks the connection after so many bytes of the body. */
  readonly cutAtByte?: number;
  /** Reports an error after so many chunks. */
  readonly errorAfter?: number;
  /** The part of the input that was cached, 0 to 1. */
  readonly cachedShare?: number;
  /** Called just before each chunk is written; a promise that it returns holds the chunk back while the caller stays. */
  readonly onChunk?: (index: number) => unknown;
  /** What the vendor reports, wrong as it may be, in each of its protocol's places. */
  readonly override?: FakeResponseOverride;
  /** Answers this body instead of an event stream of ours. */
  readonly body?: { readonly type: string; readonly text: string };
  /** Sends this again and again until the connection is closed. */
  readonly repeatedChunk?: string;
  /** Sends nothing more after so many chunks, and keeps the connection open. */
  readonly stallAfter?: number;
}

/** A running fake of the three vendors. */
export interface FakeVendors {
  readonly url: string;
  /** Every call that was charged or refused, in the order they ended. */
  readonly invoices: FakeInvoice[];
  /** Calls under way: their connection is open, or their bill is not written yet. */
  readonly countOpenCalls: () => number;
  /** The settings that point the server at it. */
  readonly settings: Readonly<Record<string, string>>;
  /** How calls go from now on. */
  setBehaviour(plan: (request: FakeRequest) => FakeBehaviour): void;
  close(): Promise<void>;
}

/** Between the last byte and the cut: a network delivers what was sent before it breaks. */
const CUT_DELAY_MS = 60;

/** Starts the three vendors' wire protocols over HTTP, on one port; streams only. */
export async function startFakeVendors({ port = 0 }: { port?: number } = {}): Promise<FakeVendors> {
  const invoices: FakeInvoice[] = [];
  let plan: (request: FakeRequest) => FakeBehaviour = () => ({});
  let open = 0;
  const server = createServer((request, response) => {
    // The launcher asks how to use it.
    if (request.url === '/control/hello') return void response.end(JSON.stringify({ settings: buildSettings(url) }));
    open += 1;
    const closed = new Promise((resolve) => response.once('close', resolve));
    const answered = answer({ request, response, closed }, (asked) => plan(asked), invoices).catch(() =>
      response.destroy(),
    );
    void Promise.all([closed, answered]).then(() => (open -= 1));
  });
  server.keepAliveTimeout = 30_000;
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    invoices: invoices,
    countOpenCalls: () => open,
    settings: buildSettings(url),
    setBehaviour: (next) => (plan = next),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The settings that point a server at the fake of this address. */
function buildSettings(url: string): Readonly<Record<string, string>> {
  return {
    AI_OPENAI_API_KEY: 'fake',
    AI_OPENAI_BASE_URL: `${url}/openai/v1`,
    AI_ANTHROPIC_API_KEY: 'fake',
    AI_ANTHROPIC_BASE_URL: `${url}/anthropic/v1`,
    AI_GOOGLE_API_KEY: 'fake',
    AI_GOOGLE_BASE_URL: `${url}/google/v1beta`,
  };
}

interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Resolves when the connection is closed. */
  readonly closed: Promise<unknown>;
}

async function answer(
  call: Call,
  planOf: (asked: FakeRequest) => FakeBehaviour,
  invoices: FakeInvoice[],
): Promise<void> {
  const { request, response } = call;
  const asked = readFakeRequest((request.url ?? '').split('?', 1)[0]!, (await readBody(request)) as VendorRequestBody);
  if (!asked) return void refuse(response, 404);
  const behaviour = planOf(asked);
  const inputAiTokens = countFakeTokens(asked.system + asked.prompt);
  await behaviour.waitFor;
  if (behaviour.firstDelayMs) await sleep(behaviour.firstDelayMs);
  if (behaviour.status !== undefined) {
    invoices.push(buildEmptyInvoice(asked, behaviour.status));
    return void refuse(response, behaviour.status);
  }
  if (behaviour.body !== undefined || behaviour.repeatedChunk !== undefined) {
    invoices.push(buildEmptyInvoice(asked, 200));
    return writeOverride(response, behaviour);
  }
  const cachedAiTokens = Math.floor(inputAiTokens * (behaviour.cachedShare ?? 0));
  const chunks = behaviour.chunks ?? COVER_LETTER;
  const outputAfter = (count: number): number => countFakeTokens(chunks.slice(0, count).join(''));
  const events = buildFakeEvents(
    asked,
    chunks,
    { inputAiTokens, cachedAiTokens, countOutputTokens: outputAfter },
    behaviour.override,
  );
  const sent = await stream(call, asked, events, behaviour);
  // Who never heard of a cache is not given its price: OpenAI tells it in the last event only.
  const cached = sent.all || (asked.vendor !== 'openai' && sent.events > 0) ? cachedAiTokens : 0;
  const usage = { inputAiTokens, cachedAiTokens: cached, outputAiTokens: countFakeTokens(sent.text) };
  invoices.push({
    ...asked,
    status: 200,
    isComplete: sent.all,
    text: sent.text,
    ...usage,
    cost: calculateFakeCost(asked.model, usage),
  });
}

function buildEmptyInvoice(asked: FakeRequest, status: number): FakeInvoice {
  const aiTokens = { inputAiTokens: 0, cachedAiTokens: 0, outputAiTokens: 0 };
  return { ...asked, ...aiTokens, status, isComplete: false, text: '', cost: 0n };
}

interface Sent {
  readonly text: string;
  readonly events: number;
  readonly all: boolean;
}

async function stream(
  { response, closed }: Call,
  { vendor }: FakeRequest,
  events: readonly FakeEvent[],
  behaviour: FakeBehaviour,
): Promise<Sent> {
  const { cutAtByte = Infinity, errorAfter = Infinity, stallAfter = Infinity, pauseMs = 0 } = behaviour;
  response.writeHead(200, { 'content-type': 'text/event-stream', 'x-fake': 'true' });
  response.flushHeaders();
  let [bytes, chunks, count, text] = [0, 0, 0, ''];
  for (const event of events) {
    // No pause after the last event: the bill is written before the caller has read it.
    if (count > 0 && pauseMs > 0) await sleep(pauseMs);
    if (event.chunk !== undefined) await Promise.race([behaviour.onChunk?.(chunks), closed]);
    if (response.destroyed) return { text, events: count, all: false };
    if (chunks >= stallAfter) {
      await closed;
      return { text, events: count, all: false };
    }
    if (chunks >= errorAfter) {
      response.end(buildFakeErrorEvent(vendor).bytes);
      return { text, events: count, all: false };
    }
    const room = cutAtByte - bytes;
    if (room < event.bytes.length) {
      response.write(event.bytes.subarray(0, room));
      await sleep(CUT_DELAY_MS);
      response.destroy();
      return { text, events: count, all: false };
    }
    response.write(event.bytes);
    bytes += event.bytes.length;
    count += 1;
    if (event.chunk !== undefined) [chunks, text] = [chunks + 1, text + event.chunk];
  }
  response.end();
  return { text, events: count, all: true };
}

async function writeOverride(response: ServerResponse, { body, repeatedChunk: endless }: FakeBehaviour): Promise<void> {
  response.writeHead(200, { 'content-type': body?.type ?? 'text/event-stream', 'x-fake': 'true' });
  if (body) return void response.end(body.text);
  while (!response.destroyed) {
    if (!response.write(endless)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
    else await nextTurn();
  }
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(
    JSON.stringify({
      type: 'error',
      error: { type: 'fake', code: status, message: `refused with ${status} (fake)`, status: 'FAKE' },
    }),
  );
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString() || '{}');
}

const COVER_LETTER =
  `${FAKE_MARKER} Hello, I read your posting with care. I would begin with what hurts most, show you a first result soon, and go on from there. Which day suits you for a short call?`.match(
    /\S+\s*/g,
  )!;

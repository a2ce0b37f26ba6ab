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

/** The beginning of every text of the fake, which distinguishes it from a model's. */
export const FAKE_MARKER = '[FAKE: written by the fake vendor, not by a model]';

/** Behaviour of the fake for one call. */
export interface FakeBehaviour {
  /** Chunks of the text; default: a marked cover letter with answers to the screening questions. */
  readonly chunks?: readonly string[];
  /** Delay before the first event; `pauseMs` is the delay before each of the others. */
  readonly firstDelayMs?: number;
  readonly pauseMs?: number;
  /** Promise to await before the first event. */
  readonly waitFor?: Promise<unknown>;
  /** Status of a refusal. */
  readonly status?: number;
  /** Number of body bytes after which the connection breaks. */
  readonly cutAtByte?: number;
  /** Number of chunks after which an error is reported. */
  readonly errorAfter?: number;
  /** Cached share of the input, 0 to 1. */
  readonly cachedShare?: number;
  /** Called before each chunk; a returned promise delays the chunk while the client is connected. */
  readonly onChunk?: (index: number) => unknown;
  /** Wrong usage or finish reason to report. */
  readonly override?: FakeResponseOverride;
  /** Response body instead of the event stream. */
  readonly body?: { readonly type: string; readonly text: string };
  /** Text to repeat until the connection is closed. */
  readonly repeatedChunk?: string;
  /** Number of chunks after which nothing is sent, with the connection open. */
  readonly stallAfter?: number;
}

/** A running fake of the three vendors. */
export interface FakeVendors {
  readonly url: string;
  /** Invoices of all charged or refused calls, in the order of their end. */
  readonly invoices: FakeInvoice[];
  /** Returns the number of calls with an open connection or without an invoice. */
  readonly countOpenCalls: () => number;
  /** The settings that point a server at the fake. */
  readonly settings: Readonly<Record<string, string>>;
  /** Sets the behaviour of further calls. */
  setBehaviour(plan: (request: FakeRequest) => FakeBehaviour): void;
  close(): Promise<void>;
}

/** Pause before a cut: a network delivers the sent bytes before it breaks. */
const CUT_DELAY_MS = 60;

/**
 * End of an event. A cut falls before it, into the JSON: the client would count the usage of whole JSON, but discard
 * its text, since an event without its blank line is discarded (HTML, section 9.2.6 "Interpreting an event stream").
 */
const EVENT_END = '\n\n';

/** Starts a server with the streaming protocols of the three vendors on one port. */
export async function startFakeVendors({ port = 0 }: { port?: number } = {}): Promise<FakeVendors> {
  const invoices: FakeInvoice[] = [];
  let plan: (request: FakeRequest) => FakeBehaviour = () => ({});
  let open = 0;
  const server = createServer((request, response) => {
    // The launcher reads the settings here.
    if (request.url === '/control/hello') return void response.end(JSON.stringify({ settings: buildSettings(url) }));
    open += 1;
    const closed = new Promise((resolve) => response.once('close', resolve));
    const answered = answer({ request, response, closed }, (parsed) => plan(parsed), invoices).catch(() =>
      response.destroy(),
    );
    void Promise.all([closed, answered]).then(() => (open -= 1));
  });
  server.keepAliveTimeout = 30_000;
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    invoices,
    countOpenCalls: () => open,
    settings: buildSettings(url),
    setBehaviour: (next) => (plan = next),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Returns the settings that point a server at the fake at this URL. */
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
  plan: (parsed: FakeRequest) => FakeBehaviour,
  invoices: FakeInvoice[],
): Promise<void> {
  const { request, response } = call;
  const parsed = readFakeRequest((request.url ?? '').split('?', 1)[0]!, (await readBody(request)) as VendorRequestBody);
  if (!parsed) return void refuse(response, 404);
  const behaviour = plan(parsed);
  const inputAiTokens = countFakeTokens(parsed.system + parsed.prompt);
  await behaviour.waitFor;
  if (behaviour.firstDelayMs) await sleep(behaviour.firstDelayMs);
  if (behaviour.status !== undefined) {
    invoices.push(buildEmptyInvoice(parsed, behaviour.status));
    return void refuse(response, behaviour.status);
  }
  if (behaviour.body !== undefined || behaviour.repeatedChunk !== undefined) {
    invoices.push(buildEmptyInvoice(parsed, 200));
    return writeOverride(response, behaviour);
  }
  const cachedAiTokens = Math.floor(inputAiTokens * (behaviour.cachedShare ?? 0));
  const chunks = behaviour.chunks ?? writeDraft(parsed.prompt);
  const outputAfter = (count: number): number => countFakeTokens(chunks.slice(0, count).join(''));
  const events = buildFakeEvents(
    parsed,
    chunks,
    { inputAiTokens, cachedAiTokens, countOutputTokens: outputAfter },
    behaviour.override,
  );
  const sent = await stream(call, parsed, events, behaviour);
  // The cache price applies only when the client received the count: OpenAI sends it in the event before [DONE].
  const isCountSent = sent.events >= (parsed.vendor === 'openai' ? events.length - 1 : 1);
  const cached = isCountSent ? cachedAiTokens : 0;
  const usage = { inputAiTokens, cachedAiTokens: cached, outputAiTokens: countFakeTokens(sent.text) };
  invoices.push({
    ...parsed,
    status: 200,
    isComplete: sent.all,
    text: sent.text,
    ...usage,
    cost: calculateFakeCost(parsed.model, usage),
  });
}

function buildEmptyInvoice(parsed: FakeRequest, status: number): FakeInvoice {
  const aiTokens = { inputAiTokens: 0, cachedAiTokens: 0, outputAiTokens: 0 };
  return { ...parsed, ...aiTokens, status, isComplete: false, text: '', cost: 0n };
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
    // No pause after the last event: the invoice is written before the client has read it.
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
      response.write(event.bytes.subarray(0, Math.min(room, event.bytes.length - EVENT_END.length - 1)));
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

async function writeOverride(response: ServerResponse, { body, repeatedChunk }: FakeBehaviour): Promise<void> {
  response.writeHead(200, { 'content-type': body?.type ?? 'text/event-stream', 'x-fake': 'true' });
  if (body) return void response.end(body.text);
  while (!response.destroyed) {
    if (!response.write(repeatedChunk)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
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
  `${FAKE_MARKER} Hello, I read your posting with care. I would begin with what hurts most, show you a first result ` +
  'soon, and go on from there. Which day suits you for a short call?';

/** Writes a marked cover letter, in chunks. It answers each screening question of the prompt. */
function writeDraft(prompt: string): readonly string[] {
  const questions = prompt.match(/^Screening question \d+: /gm) ?? [];
  const answers = questions.map((_, index) => `${index + 1}. ${FAKE_MARKER} I would measure first.`);
  const text = [COVER_LETTER, ...(answers.length > 0 ? ['\nScreening answers:', ...answers] : [])].join('\n');
  return text.match(/\S+\s*/g) ?? [];
}

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { startFakeVendors, type FakeBehaviour, type FakeVendors } from '../../src/demo/fake-ai/fake-vendors';
import { GenerationRunnerService } from '../../src/ai/generations/generation-runner.service';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { holdTimeouts } from '../support/frozen-date';

const TEXT = 'A text of some words.';
const PROMPT = { type: 'cover_letter' };

/** Channel of Node's fetch; it publishes the headers of each response. */
const HEADERS_CHANNEL = 'undici:request:headers';

/** Limit of a call; half of it without a word ends the call too. */
const AI_TIMEOUT_SECONDS = 100;

/** Invalid counts. */
const WRONG = [-1, 0.5, 100.5, 3e9, 1e300, null, '12', {}, [], true];
const openai = (count: unknown): unknown => ({ prompt_tokens: count, completion_tokens: count, total_tokens: count });
const anthropic = (count: unknown): unknown => ({
  input_tokens: count,
  output_tokens: count,
  cache_read_input_tokens: count,
});
const google = (count: unknown): unknown => ({
  promptTokenCount: count,
  candidatesTokenCount: count,
  totalTokenCount: count,
});
const WRONG_USAGES: readonly [model: string, usage: unknown][] = [
  ...WRONG.flatMap(
    (count) =>
      [
        ['gpt-4', openai(count)],
        ['claude', anthropic(count)],
        ['gemini', google(count)],
      ] as [string, unknown][],
  ),
  ...[null, {}, [], 7, 'many', { prompt_tokens: 0, completion_tokens: 0 }].map((usage): [string, unknown] => [
    'gpt-4',
    usage,
  ]),
  ...[null, {}, 'many', undefined].flatMap(
    (usage) =>
      [
        ['claude', usage],
        ['gemini', usage],
      ] as [string, unknown][],
  ),
];

describe('an AI provider with invalid answers', () => {
  let fake: FakeVendors;
  let app: TestApp;
  let user: SignedInCaller;
  beforeAll(async () => {
    fake = await startFakeVendors();
    app = await startApp({
      settings: { ...fake.settings, AI_TIMEOUT_SECONDS: String(AI_TIMEOUT_SECONDS), AI_RUNS_PER_USER: '50' },
    });
    app.get(GenerationRunnerService).retryDelayMs = 1;
    user = await createSignedInCaller(app);
  });
  beforeEach(() => {
    fake.invoices.length = 0;
  });
  afterAll(async () => {
    expect((await user.get('/v1/ai/usage')).body.reservedUsd).toBe('0.000000000000');
    await app.close();
    await fake.close();
  });

  async function answerTo(behaviour: FakeBehaviour, model = 'gpt-4', headers = {}) {
    fake.setBehaviour(() => behaviour);
    return user.post('/v1/ai/generations', { ...PROMPT, model }, headers);
  }

  it.each(WRONG_USAGES.map(([model, usage]) => [model, JSON.stringify(usage) ?? 'nothing', usage] as const))(
    'is charged by an estimate when %s reports %s',
    async (model, _, usage) => {
      const { status, body } = await answerTo({ chunks: [TEXT], override: { usage } }, model);

      expect([status, body.text, body.usageIsEstimated]).toEqual([201, TEXT, true]);
      expect(body.inputAiTokens).toBe(fake.invoices[0]!.inputAiTokens);
      expect(body.outputAiTokens).toBe(Math.ceil(TEXT.length / 4));
      expect(BigInt(body.costUsd.replace('.', ''))).toBe(fake.invoices[0]!.cost);
    },
  );

  it('keeps the text and estimates the cost when the counts are fractions and the stream breaks', async () => {
    const events = ['a ', 'b ', 'c'].map((text) => ({
      candidates: [{ content: { role: 'model', parts: [{ text }] }, index: 0 }],
      usageMetadata: google(100.5),
    }));
    const text = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');

    const { status, body } = await answerTo({ body: { type: 'text/event-stream', text } }, 'gemini');
    const { body: generation } = await user.get(`/v1/ai/generations/${body.generationId}`);

    expect([status, body.code]).toEqual([502, 'ai.generation_failed']);
    expect(generation).toMatchObject({ status: 'failed', text: 'a b c', usageIsEstimated: true, outputAiTokens: 2 });
  });

  it('does not crash the process or block renewals by an invalid count early in a slow stream', async () => {
    fake.setBehaviour(({ vendor }) => ({
      chunks: ['a ', 'b ', 'c'],
      override: { usage: vendor === 'google' ? google(100.5) : openai(100.5) },
      stallAfter: 2,
    }));
    const started = await Promise.all(
      ['gemini', 'gpt-4'].map((model) =>
        user.post('/v1/ai/generations', { ...PROMPT, model }, { prefer: 'respond-async' }),
      ),
    );

    const renewed = `SELECT count(*)::integer AS runs, pg_sleep(0.1)::text FROM ai_runs
      WHERE seen_at > started_at + interval '1 second'`;
    for (let runs = 0; runs < 2;)
      [{ runs }] = (await app.db.query<{ runs: number }>('superuser', renewed)) as [{ runs: number }];
    for (const { body } of started) expect((await user.delete(`/v1/ai/generations/${body.id}`)).status).toBe(204);
  });

  it.each([
    ['in one chunk', ['<think>What would they like?</think>Dear client, hello.']],
    ['in many chunks', ['\n', '<th', 'ink>', 'What', '?</thi', 'nk>', '\n\n', 'Dear ', 'client, hello.']],
  ])('has its reasoning removed: %s', async (_, chunks) => {
    const { body } = await answerTo({ chunks });

    expect(body.text).toBe('Dear client, hello.');
  });

  it('keeps text that only resembles reasoning at first', async () => {
    expect((await answerTo({ chunks: ['<', 'thanks> ', 'for <think>'] })).body.text).toBe('<thanks> for <think>');
  });

  it.each<[string, string, FakeBehaviour, string]>([
    [
      'a prompt that is blocked',
      'gemini',
      { override: { blockReason: 'SAFETY' } },
      'google refused the draft by its safety filter',
    ],
    [
      'a blocked answer',
      'gemini',
      { chunks: [''], override: { finish: 'SAFETY' } },
      'google refused the draft by its safety filter',
    ],
    [
      'a tool that was not offered',
      'gpt-4',
      { chunks: [], override: { tool: true } },
      'openai requested a tool, which drafts do not offer',
    ],
    [
      'reasoning only',
      'gpt-4',
      { chunks: ['<think>for ever'], override: { finish: 'length' } },
      'openai used all of its output before the text began',
    ],
    [
      'a web page',
      'gpt-4',
      { body: { type: 'text/html', text: '<html>Sign in</html>' } },
      'openai answered a web page instead of a text',
    ],
    [
      'no event',
      'gpt-4',
      { body: { type: 'text/event-stream', text: ': nothing\n\n' } },
      'the connection to openai broke',
    ],
    [
      'broken events',
      'gpt-4',
      { body: { type: 'text/event-stream', text: 'data: {"choices": [\n\ndata: 7\n\n' } },
      'openai reported an error while writing',
    ],
  ])('is reported with a specific error: %s', async (_, model, behaviour, error) => {
    const { status, body } = await answerTo(behaviour, model);

    expect([status, body.code]).toEqual([502, 'ai.generation_failed']);
    expect(body.detail).toContain(error);
  });

  it('is reported with a specific error when it is silent', async () => {
    const timeouts = holdTimeouts();
    const expire = () => void nextTurn().then(() => timeouts.advance((AI_TIMEOUT_SECONDS / 2) * 1_000));
    subscribe(HEADERS_CHANNEL, expire);

    const { status, body } = await answerTo({ stallAfter: 0 });

    unsubscribe(HEADERS_CHANNEL, expire);
    jest.useRealTimers();
    expect([status, body.code]).toEqual([502, 'ai.generation_failed']);
    expect(body.detail).toContain('openai took too long');
  });

  it('is called once even when it asks for a continuation', async () => {
    const { body } = await answerTo({ chunks: ['half a text'], override: { finish: 'CONTINUATION' } }, 'gemini');

    expect([body.text, fake.invoices.length]).toEqual(['half a text', 1]);
  });

  it('keeps its text when the finish reason is unknown', async () => {
    const { status, body } = await answerTo({ chunks: [TEXT], override: { finish: 'eos_token' } });

    expect([status, body.text, body.status]).toEqual([201, TEXT, 'succeeded']);
  });

  it.each([
    [
      'text',
      `data: ${JSON.stringify({
        choices: [{ index: 0, delta: { content: 'word '.repeat(200) }, finish_reason: null }],
      })}\n\n`,
    ],
    ['an event without an end', 'x'.repeat(10_000)],
  ])('is cut when %s has no end, within the reservation', async (_, endless) => {
    const { body } = await answerTo({ repeatedChunk: endless });
    const generation = body.id === undefined ? (await user.get(`/v1/ai/generations/${body.generationId}`)).body : body;

    expect(generation.outputAiTokens).toBeLessThanOrEqual(1_500);
    expect((generation.text ?? '').length).toBeLessThanOrEqual(1_500 * 32);
    expect(generation.status).toBe(endless.startsWith('data') ? 'succeeded' : 'failed');
  });
});

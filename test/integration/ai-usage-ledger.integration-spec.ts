import { END_ORPHANED_AI_CALLS } from '../../src/ai/generations/end-orphaned-ai-calls.task';
import { findPrice, formatUsd, parseUsd } from '../../src/ai/usage/cost';
import { UsageLedgerService } from '../../src/ai/usage/usage-ledger.service';
import { GenerationRunnerService } from '../../src/ai/generations/generation-runner.service';
import { ProvidersService } from '../../src/ai/providers/providers.service';
import { runInContext } from '../../src/platform/context/request-context';
import { Database } from '../../src/platform/database/database';
import { SystemDatabase } from '../../src/platform/database/system-database';
import { startFakeVendors, type FakeVendors } from '../../src/demo/fake-ai/fake-vendors';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { holdTimeouts, runWithinOneDay } from '../support/frozen-date';
import { runAsUser } from '../support/run-as-user';
import { waitFor } from '../support/wait-for';

/** Limit of a call; half of it without a word ends the call too. */
const AI_TIMEOUT_SECONDS = 60;

describe('the ledger of AI calls', () => {
  let fake: FakeVendors;
  let app: TestApp;
  let user: SignedInCaller;
  beforeAll(async () => {
    fake = await startFakeVendors();
    app = await startApp({
      settings: { ...fake.settings, AI_TIMEOUT_SECONDS: String(AI_TIMEOUT_SECONDS) },
      runsTasks: true,
    });
  });
  beforeEach(async () => {
    user = await createSignedInCaller(app);
    fake.setBehaviour(() => ({}));
  });
  afterAll(async () => {
    await app.close();
    await fake.close();
  });

  const reserve = (usd: string): Promise<boolean> =>
    runAsUser(user.id, () =>
      app.get(Database).transaction((unit) => app.get(UsageLedgerService).reserve(unit, parseUsd(usd))),
    ).then(
      () => true,
      () => false,
    );

  /**
   * Inserts a call in progress whose process was last seen `unseenSeconds` ago; less than zero: in the future, so that
   * no busy machine makes it an orphan.
   */
  async function insertRun(unseenSeconds: number): Promise<number> {
    return runAsUser(user.id, async () => {
      const ledger = app.get(UsageLedgerService);
      const [candidate] = app.get(ProvidersService).listCandidates('gpt-4');
      const id = await app.get(Database).transaction(async (unit) => {
        const [row] = await unit.query<{ id: number }>(
          `INSERT INTO ai_generations (generation_type, prompt, status)
           VALUES ('message', 'x', 'running') RETURNING id`,
        );
        await ledger.recordStart(unit, row!.id, parseUsd('0.5'), candidate!, {
          aiTokens: 100,
          cost: parseUsd('0.003'),
        });
        await ledger.reserve(unit, parseUsd('0.5'));
        return row!.id;
      });
      await app.db.query(
        'superuser',
        `UPDATE ai_runs SET started_at = now() - interval '1 minute', seen_at = now() - make_interval(secs => $2)
         WHERE generation_id = $1`,
        [id, unseenSeconds],
      );
      return id;
    });
  }

  /** Runs the task as a worker would. */
  function runTask(): Promise<unknown> {
    const context = {
      requestId: 'task-run-1',
      ip: null,
      userAgent: null,
      operation: 'task:end-orphaned-ai-calls',
      actorKind: 'task',
    } as const;
    return runInContext(context, () =>
      END_ORPHANED_AI_CALLS.run({
        startedBy: 'schedule',
        startedById: null,
        signal: new AbortController().signal,
        lastResult: null,
        readOnly: (work) => app.get(SystemDatabase).asScheduler(work),
        asWorker: (work) => app.get(SystemDatabase).asWorker('a test', work),
        service: (type) => app.get(type),
      }),
    );
  }

  it('never exceeds the budget by parallel reservations', async () => {
    await user.put('/v1/ai/budget', { dailyUsd: '1.00' });

    const granted = await Promise.all(Array.from({ length: 60 }, () => reserve('0.030000000001')));

    expect(granted.filter(Boolean)).toHaveLength(33);
    expect((await user.get('/v1/ai/usage')).body).toMatchObject({
      reservedUsd: '0.990000000033',
      day: { leftUsd: '0.009999999967' },
    });
  });

  it('renews the day and the month, but keeps reservations', () =>
    runWithinOneDay(async () => {
      user = await createSignedInCaller(app);
      await user.put('/v1/ai/budget', { dailyUsd: '1.00', monthlyUsd: '1.50' });
      await reserve('0.1');
      const spend = (day: string): Promise<unknown> =>
        app.db.query(
          'superuser',
          `UPDATE ai_budgets SET day = ${day}, day_spent_usd = 0.95, month_spent_usd = 0.95 WHERE user_id = $1`,
          [user.id],
        );

      await spend('current_date');
      expect(await reserve('0.1')).toBe(false);
      await spend('current_date - 1');
      expect(await reserve('0.1')).toBe(true);
      expect(await reserve('0.4')).toBe(false);
      expect((await user.get('/v1/ai/usage')).body).toMatchObject({
        reservedUsd: '0.200000000000',
        day: { spentUsd: '0.000000000000' },
        month: { spentUsd: '0.950000000000' },
      });
    }));

  it('settles the calls of a dead process once, and leaves those of a live one', async () => {
    const [dead, alive] = [await insertRun(7_200), await insertRun(-7_200)];

    const result = await runTask();
    const again = await runTask();

    expect([result, again]).toEqual([{ ended: 1 }, { skipped: 'no call was orphaned' }]);
    const { body } = await user.get(`/v1/ai/generations/${dead}`);
    expect(body).toMatchObject({
      status: 'failed',
      costUsd: '0.003000000000',
      inputAiTokens: 100,
      usageIsEstimated: true,
      error: 'the server stopped while the vendor was writing',
    });
    expect((await user.get(`/v1/ai/generations/${alive}`)).body.status).toBe('running');
    expect((await user.get('/v1/ai/usage')).body).toMatchObject({
      reservedUsd: '0.500000000000',
      day: { spentUsd: '0.003000000000' },
    });
    const late = await runAsUser(user.id, () =>
      app.get(Database).transaction((unit) => app.get(UsageLedgerService).recordEnd(unit, dead)),
    );
    expect(late).toBeUndefined();
    const logs = await user.get(`/v1/audit/ai_generations/${dead}`);
    expect(logs.body.items[0]).toMatchObject({ action: 'UPDATE', actor: { kind: 'task' } });
  });

  it('settles each orphaned call separately, also with impossible values', async () => {
    await runTask();
    const [impossible, broken, whole] = [await insertRun(7_200), await insertRun(7_200), await insertRun(7_200)];
    const set = (id: number, assignments: string): Promise<unknown> =>
      app.db.query('superuser', `UPDATE ai_runs SET ${assignments} WHERE generation_id = $1`, [id]);
    await set(impossible, `cost_usd = -1, input_ai_tokens = -5, started_at = now() - interval '90 days'`);
    await set(broken, `provider = ''`);

    expect(await runTask()).toEqual({ ended: 2, left: 1 });

    const bodies = await Promise.all([impossible, broken, whole].map((id) => user.get(`/v1/ai/generations/${id}`)));
    expect(bodies.map(({ body }) => [body.status, body.costUsd])).toEqual([
      ['failed', '0.000000000000'],
      ['running', null],
      ['failed', '0.003000000000'],
    ]);
    expect((await user.get('/v1/ai/usage')).body.reservedUsd).toBe('0.500000000000');
    await app.db.query('superuser', 'DELETE FROM ai_runs WHERE generation_id = $1', [broken]);
  });

  it('renews every call, even when one has invalid values', async () => {
    const [invalid, valid] = [await insertRun(7_200), await insertRun(7_200)];
    const progress = [
      {
        generationId: invalid,
        provider: 'openai',
        model: 'gpt-4',
        inputAiTokens: -1,
        outputAiTokens: 3e9,
        cachedAiTokens: 0.5,
        cost: '999',
      },
      {
        generationId: valid,
        provider: 'openai',
        model: 'gpt-4',
        inputAiTokens: 7,
        outputAiTokens: 8,
        cachedAiTokens: 0,
        cost: '0.1',
      },
    ];
    await app
      .get(SystemDatabase)
      .asAuth((unit) => unit.query('SELECT auth.renew_ai_runs($1::jsonb)', [JSON.stringify(progress)]));

    const rows = await app.db.query(
      'superuser',
      `SELECT input_ai_tokens AS input, output_ai_tokens AS output, cost_usd::float8 AS cost,
         seen_at > now() - interval '1 hour' AS renewed
       FROM ai_runs WHERE generation_id = ANY ($1) ORDER BY generation_id`,
      [[invalid, valid]],
    );
    expect(rows).toEqual([
      { input: 0, output: 2147483647, cost: 0.5, renewed: true },
      { input: 7, output: 8, cost: 0.1, renewed: true },
    ]);
    await app.db.query('superuser', 'DELETE FROM ai_runs WHERE generation_id = ANY ($1)', [[invalid, valid]]);
  });

  it('has a price for every default model', () => {
    for (const { name, defaultModel } of app.get(ProvidersService).all)
      expect(findPrice(name, defaultModel)).toBeDefined();
    expect(formatUsd(0n)).toBe('0.000000000000');
  });

  it('ends and settles drafts of a stopping process', async () => {
    const second = await startApp({ sharedWith: app });
    fake.setBehaviour(() => ({ chunks: Array(400).fill('word '), pauseMs: 50 }));
    const answer = await fetch(`${second.url}/v1/ai/generations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${user.token}`, 'content-type': 'application/json', prefer: 'respond-async' },
      body: JSON.stringify({ type: 'message', model: 'gpt-4' }),
    });
    const { id } = (await answer.json()) as { id: number };
    const runner = second.get(GenerationRunnerService);
    await waitFor('two words are written', () => runner.find(id)?.chunks.text.startsWith('word word '));
    runner.shutdownWaitMs = 100;

    await second.close();

    const { body } = await user.get(`/v1/ai/generations/${id}`);
    expect(body).toMatchObject({
      status: 'failed',
      error: 'the server stopped while the vendor was writing',
      text: expect.stringMatching(/^word word /),
    });
    expect((await user.get('/v1/ai/usage')).body.reservedUsd).toBe('0.000000000000');
  });

  it('aborts a silent provider, and calls the next', async () => {
    let release!: () => void;
    const released = new Promise<void>((resolve) => (release = resolve));
    app.get(GenerationRunnerService).retryDelayMs = 1;
    const timeouts = holdTimeouts();
    fake.setBehaviour(({ vendor }) => {
      if (vendor !== 'openai') return {};
      timeouts.advance((AI_TIMEOUT_SECONDS / 2) * 1_000);
      return { waitFor: released };
    });
    const { status, body } = await user.post('/v1/ai/generations', { type: 'message' });

    release();
    jest.useRealTimers();
    expect([status, body.provider, body.usageIsEstimated]).toEqual([201, 'anthropic', true]);
  });
});

import { Conditions } from '../../platform/database/conditions';
import { type CursorKey, KeysetPages } from '../../platform/http/pagination/keyset-page';
import { AiGeneration, isFinished } from './ai-generation.entity';
import { type CreateGenerationDto, GenerationDto, type ListGenerationsDto } from './generations.dto';
import { Injectable } from '@nestjs/common';
import { Config } from '../../platform/config/config';
import { Database } from '../../platform/database/database';
import type { UnitOfWork } from '../../platform/database/unit-of-work';
import { AppError } from '../../platform/errors/app-error';
import { assertVersion, type Preconditions } from '../../platform/http/responses/preconditions';
import type { Page } from '../../platform/http/pagination/page.dto';
import { IdempotencyStoreService, type RequestKey } from '../../platform/idempotency/idempotency.interceptor';
import { computeCost, estimateAiTokens, NO_USAGE, computeMaxCost, type PicoUsd } from '../usage/cost';
import { GenerationStreamStoreService } from './generation-stream-store.service';
import { GenerationRunnerService } from './generation-runner.service';
import { UsageLedgerService } from '../usage/usage-ledger.service';
import type { GenerationRequest } from './active-generation';
import {
  buildPrompt,
  formatPrompt,
  type Prompt,
  type PromptJob,
  type PromptMessage,
  type PromptParts,
  type PromptProfile,
} from '../prompt/build-prompt';
import { ProvidersService, type ModelCandidate } from '../providers/providers.service';

/** A synchronisation also updates jobs with an id of Upwork that the user entered. */
const JOB = `
  SELECT title, description, skills, coalesce(details -> 'questions', '[]') AS questions,
    upwork_job_id IS NOT NULL OR fetched_at IS NOT NULL AS "isFromUpwork"
  FROM jobs WHERE id = $1`;

const PROFILE = `
  SELECT headline, overview, skills, hourly_rate AS "hourlyRate", currency, experience_years AS "experienceYears",
    past_wins AS "pastWins"
  FROM profiles`;

const TEMPLATE = 'SELECT id, body FROM templates WHERE id = $1';

const NEWEST_TEMPLATE =
  'SELECT id, body FROM templates WHERE generation_type = $1 ORDER BY created_at DESC, id DESC LIMIT 1';

const MESSAGES = `
  SELECT sender_type AS "senderType", content, upwork_message_id IS NOT NULL AS "isFromUpwork" FROM (
    SELECT id, sender_type, content, upwork_message_id, created_at FROM messages
    WHERE job_id = $1 ORDER BY created_at DESC, id DESC LIMIT 10
  ) newest ORDER BY created_at, id`;

const EMPTY_PROFILE: PromptProfile = {
  headline: null,
  overview: null,
  skills: [],
  hourlyRate: null,
  currency: 'USD',
  experienceYears: null,
  pastWins: [],
};

interface UpworkText {
  /** True for a text that is, or may be, from Upwork. */
  readonly isFromUpwork: boolean;
}

interface TemplateRow {
  readonly id: number;
  readonly body: string;
}

/** Loads the sources of a draft. */
@Injectable()
export class GenerationSourcesService {
  constructor(
    private readonly database: Database,
    private readonly config: Config,
  ) {}

  /**
   * Reads the job, the profile, the template and, for a message, the conversation. One unit of work, which ends before
   * a provider is called.
   * @throws AppError `reference.not_found` (/jobId, /templateId), `ai.upwork_texts_forbidden` (/jobId)
   */
  async load({ type, jobId, templateId, instructions }: CreateGenerationDto): Promise<PromptParts> {
    return this.database.transaction(async (unit) => {
      const [profiles, templates, jobs, messages] = await Promise.all([
        unit.query<{ headline: string } & PromptProfile>(PROFILE),
        templateId ? unit.query<TemplateRow>(TEMPLATE, [templateId]) : unit.query<TemplateRow>(NEWEST_TEMPLATE, [type]),
        jobId ? unit.query<PromptJob & UpworkText>(JOB, [jobId]) : [],
        jobId && type === 'message' ? unit.query<PromptMessage & UpworkText>(MESSAGES, [jobId]) : [],
      ]);
      if (jobId && jobs.length === 0) throw buildMissingReferenceError('/jobId', 'You have no job with this id.');
      if (templateId && templates.length === 0)
        throw buildMissingReferenceError('/templateId', 'You have no template with this id.');
      this.assertMayBeSent([...jobs, ...messages]);
      return {
        type,
        instructions: instructions ?? null,
        templateId: templates[0]?.id ?? null,
        template: templates[0]?.body ?? null,
        profile: profiles[0] ?? EMPTY_PROFILE,
        job: jobs[0] ?? null,
        messages,
      };
    });
  }

  /** @throws AppError `ai.upwork_texts_forbidden` for texts from Upwork on a server that forbids their use */
  private assertMayBeSent(texts: readonly UpworkText[]): void {
    if (this.config.ai.allowsUpworkTexts || !texts.some(({ isFromUpwork }) => isFromUpwork)) return;
    const message = 'The job or its conversation is from Upwork; AI_UPWORK_TEXTS of this server forbids to send it.';
    throw new AppError('ai.upwork_texts_forbidden', {
      detail: message,
      errors: [{ pointer: '/jobId', code: 'upwork_text', message }],
    });
  }
}

function buildMissingReferenceError(pointer: string, message: string): AppError {
  return new AppError('reference.not_found', { detail: message, errors: [{ pointer, code: 'not_found', message }] });
}

/** Row of the list with its sort key as PostgreSQL text: a Date loses the microseconds. */
export type GenerationRow = AiGeneration & { readonly sortKey: string };

/** Columns without the prompt, which is long and never listed. */
const COLUMNS = `id, job_id AS "jobId", generation_type AS type, status, instructions, response, findings, provider,
  model_used AS model, input_ai_tokens AS "inputAiTokens", output_ai_tokens AS "outputAiTokens",
  cached_ai_tokens AS "cachedAiTokens", cost, usage_is_estimated AS "usageIsEstimated",
  price_list_version AS "priceListVersion", error, duration_ms AS "durationMs", version, created_at AS "createdAt",
  updated_at AS "updatedAt"`;

/** Builds the query for one page of generations after the cursor `after`, newest first. */
export function listGenerations(
  { jobId, type, status }: ListGenerationsDto,
  after: readonly CursorKey[] | undefined,
  take: number,
): [sql: string, values: unknown[]] {
  const conditions = new Conditions()
    .add('job_id = $?', jobId)
    .anyOf('generation_type', type)
    .anyOf('status', status)
    .after('created_at, id', '<', ['timestamptz', 'bigint'], after);
  const limit = conditions.value(take);
  return [
    `SELECT ${COLUMNS}, created_at::text AS "sortKey" FROM ai_generations ${conditions.where}
     ORDER BY created_at DESC, id DESC LIMIT ${limit}`,
    conditions.values,
  ];
}

/** Generation started by this request or by an earlier one with the same key. */
export interface StartedGeneration {
  readonly id: number;
  readonly isReplay: boolean;
}

/** Starts, lists and cancels the signed-in user's generations. */
@Injectable()
export class GenerationsService {
  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly pages: KeysetPages,
    private readonly keys: IdempotencyStoreService,
    private readonly providers: ProvidersService,
    private readonly sources: GenerationSourcesService,
    private readonly ledger: UsageLedgerService,
    private readonly runner: GenerationRunnerService,
    private readonly streamStore: GenerationStreamStoreService,
  ) {}

  /**
   * Reserves the maximum cost of a draft and starts it; returns before a provider is called. The reservation, the row
   * and the key are stored in one transaction, which ends first. Repeating the key returns the same generation.
   * @throws AppError `ai.not_configured`, `ai.model_unknown`, `ai.model_unavailable`, `ai.upwork_texts_forbidden`,
   *   `ai.budget_exceeded`, `ai.installation_budget_exceeded`, `rate.too_many_at_once`, `reference.not_found`,
   *   `idempotency.in_progress`, `idempotency.key_reused`
   */
  async start(dto: CreateGenerationDto, requestKey: RequestKey | undefined): Promise<StartedGeneration> {
    const earlier =
      requestKey && (await this.database.transaction((unit) => this.keys.findCreatedId(unit, requestKey)));
    if (earlier !== undefined) return { id: earlier, isReplay: true };
    const candidates = this.providers.listCandidates(dto.model);
    const parts = await this.sources.load(dto);
    const prompt = buildPrompt(parts);
    const text = prompt.system + prompt.prompt;
    const maxCosts = candidates.map(({ price }) => computeMaxCost(text, this.config.ai.maxOutputAiTokens, price));
    // Includes one attempt that is cut before its first byte: its input is charged too.
    const reserved = findLargest(maxCosts.map((cost, i) => cost + computeMaxCost(text, 0, candidates[i]!.price)));
    const userText = [parts.instructions, parts.template].join(' ');
    const checkSources = { profile: parts.profile, job: parts.job, userText };
    const request = { type: dto.type, prompt, candidates, maxCosts, reserved, checkSources };
    const slot = await this.runner.reserveSlot();
    try {
      const started = await this.insertAndReserve(dto, parts.templateId, requestKey, request);
      if (started.isReplay) slot.release();
      else this.runner.start({ ...request, generationId: started.id }, slot);
      return started;
    } catch (error) {
      slot.release();
      throw error;
    }
  }

  /**
   * Waits until a generation has finished, on any process, and returns it.
   * @throws AppError `ai.generation_failed` when no provider wrote it
   */
  async waitForResult(id: number): Promise<GenerationDto> {
    const generated = await this.runner.waitUntilFinished(id);
    let generation = generated ? GenerationDto.from(generated) : await this.get(id);
    if (!isFinished(generation.status)) {
      for await (const chunk of this.streamStore.follow(id, 0, 1_000)) {
        if (chunk === null && isFinished((await this.get(id)).status)) break;
      }
      generation = await this.get(id);
    }
    if (generation.status !== 'failed') return generation;
    throw new AppError('ai.generation_failed', {
      detail: generation.error ?? 'No provider wrote the text.',
      headers: { location: `/v1/ai/generations/${id}` },
      extensions: { generationId: id },
    });
  }

  /** Returns one page of the generations that match the filters, newest first. One statement. */
  async list(query: ListGenerationsDto): Promise<Page<GenerationDto>> {
    const page = this.pages.open(query);
    const rows = await this.database.list<GenerationRow>(...listGenerations(query, page.after, page.take));
    return page.of(rows, (row) => [row.sortKey, row.id], GenerationDto.from);
  }

  /** Returns one generation. @throws AppError `ai.generation_not_found` */
  async get(id: number): Promise<GenerationDto> {
    const generation = await this.database.find(AiGeneration, id);
    if (!generation) throw new AppError('ai.generation_not_found');
    return GenerationDto.from(generation);
  }

  /**
   * Cancels a generation on the process that runs it. The text so far is kept and its cost is charged. A finished
   * generation does not change.
   * @throws AppError `ai.generation_not_found`, `precondition.failed`
   */
  async cancel(id: number, preconditions: Preconditions | undefined): Promise<void> {
    const generation = await this.get(id);
    assertVersion(generation, preconditions);
    if (isFinished(generation.status)) return;
    const run = this.runner.find(id);
    if (!run) return this.streamStore.publishCancel(id);
    run.cancellation.abort();
    await this.runner.waitUntilFinished(id);
  }

  private insertAndReserve(
    dto: CreateGenerationDto,
    templateId: number | null,
    requestKey: RequestKey | undefined,
    { prompt, candidates, reserved }: Omit<GenerationRequest, 'generationId'>,
  ): Promise<StartedGeneration> {
    return this.ledger.runExclusive(async (unit): Promise<StartedGeneration> => {
      const replayed = requestKey && (await this.keys.findCreatedId(unit, requestKey));
      if (replayed !== undefined) return { id: replayed, isReplay: true };
      const id = await this.insert(unit, dto, templateId, prompt, candidates[0]!, reserved);
      if (requestKey) await this.keys.saveCreatedId(unit, requestKey, 202, id);
      await this.ledger.reserve(unit, reserved);
      return { id, isReplay: false };
    });
  }

  private async insert(
    unit: UnitOfWork,
    dto: CreateGenerationDto,
    templateId: number | null,
    prompt: Prompt,
    first: ModelCandidate,
    reserved: PicoUsd,
  ): Promise<number> {
    const { type, jobId, instructions } = dto;
    const { id } = await unit
      .repository(AiGeneration)
      .insert({ type, jobId, templateId, instructions, status: 'running', prompt: formatPrompt(prompt) });
    const aiTokens = estimateAiTokens(prompt.system + prompt.prompt);
    const cost = computeCost({ ...NO_USAGE, inputAiTokens: aiTokens }, first.price);
    await this.ledger.recordStart(unit, id, reserved, first, { aiTokens, cost });
    return id;
  }
}

function findLargest(amounts: readonly PicoUsd[]): PicoUsd {
  return amounts.reduce((most, amount) => (amount > most ? amount : most), 0n);
}

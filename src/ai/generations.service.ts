import { Injectable } from '@nestjs/common';
import { Config } from '../platform/config/config';
import { Database } from '../platform/database/database';
import type { Unit } from '../platform/database/unit';
import { AppError } from '../platform/errors/app-error';
import { assertVersion, type Preconditions } from '../platform/http/if-match';
import { KeysetPages } from '../platform/http/keyset-page';
import type { Page } from '../platform/http/page';
import { IdempotencyStore } from '../platform/idempotency/idempotency-store';
import { AiGeneration } from './ai-generation.entity';
import { costOf, estimatedAiTokens, NO_USAGE, worstCostOf, type PicoUsd } from './cost';
import type { CreateGenerationDto } from './dto/create-generation.dto';
import { GenerationDto } from './dto/generation.dto';
import type { ListGenerationsDto } from './dto/list-generations.dto';
import { GenerationFeed } from './generation-feed.service';
import { GenerationRuns } from './generation-runs.service';
import { GenerationSources } from './generation-sources.service';
import { isOver } from './generation-status';
import { listGenerations, type GenerationRow } from './generations.queries';
import { Ledger } from './ledger.service';
import type { RunOrder } from './live-run';
import { buildPrompt, promptText, type Prompt } from './prompt/build-prompt';
import { Providers, type Candidate } from './providers/providers.service';

/** The Idempotency-Key of a request and what the request was. */
export interface RequestKey {
  readonly key: string;
  readonly hash: string;
}

/** A generation that was begun, by this request or by an earlier one with the same key. */
export interface Begun {
  readonly id: number;
  readonly isReplay: boolean;
}

/** The signed-in user's generations: asked for, watched, cancelled. */
@Injectable()
export class Generations {
  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly pages: KeysetPages,
    private readonly keys: IdempotencyStore,
    private readonly providers: Providers,
    private readonly sources: GenerationSources,
    private readonly ledger: Ledger,
    private readonly runs: GenerationRuns,
    private readonly feed: GenerationFeed,
  ) {}

  /**
   * Reserves the most the draft can cost and begins to write it; returns before a vendor is called. The reservation, the
   * row and the key are one transaction that is over by then; the same key again finds the same generation.
   * @throws AppError `ai.not_configured`, `ai.model_unknown`, `ai.model_unavailable`, `ai.budget_exceeded`,
   *   `ai.installation_budget_exceeded`, `rate.too_many_at_once`, `reference.not_found`, `idempotency.in_progress`,
   *   `idempotency.key_reused`
   */
  async begin(dto: CreateGenerationDto, requestKey: RequestKey | undefined): Promise<Begun> {
    const earlier = requestKey && (await this.database.unit((unit) => this.begunBefore(unit, requestKey)));
    if (earlier !== undefined) return { id: earlier, isReplay: true };
    const candidates = this.providers.candidates(dto.model);
    const parts = await this.sources.load(dto);
    const prompt = buildPrompt(parts);
    const text = prompt.system + prompt.prompt;
    const worstCosts = candidates.map(({ price }) => worstCostOf(text, this.config.ai.maxOutputAiTokens, price));
    // With room for one try that is cut before its first byte: its input is charged too.
    const reserved = largest(worstCosts.map((cost, i) => cost + worstCostOf(text, 0, candidates[i]!.price)));
    const ownWords = [parts.instructions, parts.template].join(' ');
    const checks = { profile: parts.profile, job: parts.job, ownWords };
    const order = { type: dto.type, prompt, candidates, worstCosts, reserved, checks };
    const place = await this.runs.admit();
    try {
      const begun = await this.reserve(dto, parts.templateId, requestKey, order);
      if (begun.isReplay) place.release();
      else this.runs.start({ ...order, generationId: begun.id }, place);
      return begun;
    } catch (error) {
      place.release();
      throw error;
    }
  }

  /**
   * Waits for the end of a generation, wherever it is written, and returns it.
   * @throws AppError `ai.generation_failed` when no vendor wrote it
   */
  async result(id: number): Promise<GenerationDto> {
    const written = await this.runs.finished(id);
    let generation = written ? GenerationDto.from(written) : await this.get(id);
    if (!isOver(generation.status)) {
      for await (const piece of this.feed.follow(id, 0, 1_000)) {
        if (piece === null && isOver((await this.get(id)).status)) break;
      }
      generation = await this.get(id);
    }
    if (generation.status !== 'failed') return generation;
    throw new AppError('ai.generation_failed', {
      detail: generation.error ?? 'no vendor wrote the text',
      headers: { location: `/v1/ai/generations/${id}` },
      extensions: { generationId: id },
    });
  }

  /** Returns one page of the generations that fit the filters, newest first. One statement. */
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
   * Ends the vendor's call of a generation, whichever process makes it; what came is kept and what it cost is booked. One
   * that is over stays as it is.
   * @throws AppError `ai.generation_not_found`, `precondition.failed`
   */
  async cancel(id: number, preconditions: Preconditions | undefined): Promise<void> {
    const generation = await this.get(id);
    assertVersion(generation, preconditions);
    if (isOver(generation.status)) return;
    const run = this.runs.find(id);
    if (!run) return this.feed.cancel(id);
    run.cancellation.abort();
    await this.runs.finished(id);
  }

  private reserve(
    dto: CreateGenerationDto,
    templateId: number | null,
    requestKey: RequestKey | undefined,
    { prompt, candidates, reserved }: Omit<RunOrder, 'generationId'>,
  ): Promise<Begun> {
    return this.ledger.unit(async (unit): Promise<Begun> => {
      const again = requestKey && (await this.begunBefore(unit, requestKey));
      if (again !== undefined) return { id: again, isReplay: true };
      const id = await this.insert(unit, dto, templateId, prompt, candidates[0]!, reserved);
      if (requestKey) await this.keepKey(unit, requestKey, id);
      await this.ledger.reserve(unit, reserved);
      return { id, isReplay: false };
    });
  }

  private async begunBefore(unit: Unit, { key, hash }: RequestKey): Promise<number | undefined> {
    const stored = await this.keys.begin(unit, key);
    if (!stored) return undefined;
    this.keys.assertSameRequest(stored, hash);
    return (JSON.parse(stored.body ?? '{}') as { id: number }).id;
  }

  private async keepKey(unit: Unit, { key, hash }: RequestKey, id: number): Promise<void> {
    const headers = { location: `/v1/ai/generations/${id}` };
    await this.keys.keep(unit, key, { requestHash: hash, status: 202, headers, body: JSON.stringify({ id }) });
  }

  private async insert(
    unit: Unit,
    dto: CreateGenerationDto,
    templateId: number | null,
    prompt: Prompt,
    first: Candidate,
    reserved: PicoUsd,
  ): Promise<number> {
    const { type, jobId, instructions } = dto;
    const { id } = await unit
      .of(AiGeneration)
      .insert({ type, jobId, templateId, instructions, status: 'running', prompt: promptText(prompt) });
    const aiTokens = estimatedAiTokens(prompt.system + prompt.prompt);
    const cost = costOf({ ...NO_USAGE, inputAiTokens: aiTokens }, first.price);
    await this.ledger.begin(unit, id, reserved, first, { aiTokens, cost });
    return id;
  }
}

function largest(amounts: readonly PicoUsd[]): PicoUsd {
  return amounts.reduce((most, amount) => (amount > most ? amount : most), 0n);
}

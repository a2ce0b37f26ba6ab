import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { Injectable } from '@nestjs/common';
import { Config } from '../../platform/config/config';
import type { AiProviderName } from '../../platform/config/settings';
import { AppError } from '../../platform/errors/app-error';
import { MODEL_ALIASES, PRICE_LIST, findPrice, type ModelPrice } from '../usage/cost';
import type { AiProvider } from './provider';
import { AiSdkProvider, type AiSdkProviderOptions } from './ai-sdk.provider';

/** Model with its price and the provider that runs it. */
export interface ModelCandidate {
  readonly provider: AiProvider;
  readonly model: string;
  readonly price: ModelPrice;
}

/** Providers of this installation, in the order they are tried. */
@Injectable()
export class ProvidersService {
  readonly all: readonly AiProvider[];

  constructor({ ai }: Config) {
    this.all = ai.order.map((name) => new AiSdkProvider(buildOptions(name, ai.vendors[name])));
  }

  /**
   * Returns the models to try, best first: only `model` when given, otherwise the default of every configured provider.
   * @throws AppError `ai.not_configured`, `ai.model_unknown` and `ai.model_unavailable` (/model)
   */
  listCandidates(model: string | undefined): ModelCandidate[] {
    if (model !== undefined) return [this.findCandidate(model)];
    const candidates = this.all
      .filter(({ missingSetting }) => missingSetting === undefined)
      .flatMap((provider) => this.buildCandidates(provider, provider.defaultModel));
    if (candidates.length > 0) return candidates;
    const wanted = this.all.map(
      ({ missingSetting, name }) => missingSetting ?? `a model of ${name} with a known price`,
    );
    throw new AppError('ai.not_configured', {
      detail: `AI is not set up on this server. Its operator must set one of ${wanted.join(', ')}.`,
    });
  }

  private findCandidate(model: string): ModelCandidate {
    const name = MODEL_ALIASES[model] ?? PRICE_LIST.find((price) => price.model === model)?.provider;
    const provider = this.all.find(
      (entry) => entry.name === name || (entry.name === 'local' && entry.defaultModel === model),
    );
    const found = provider && this.buildCandidates(provider, model in MODEL_ALIASES ? provider.defaultModel : model)[0];
    if (!found) {
      const message = `No model is named ${model}. GET /v1/ai/models lists all models.`;
      throw new AppError('ai.model_unknown', {
        detail: message,
        errors: [{ pointer: '/model', code: 'model_unknown', message }],
      });
    }
    const { missingSetting } = found.provider;
    if (missingSetting === undefined) return found;
    const message = `${model} is not available: the operator of this server must set ${missingSetting}.`;
    throw new AppError('ai.model_unavailable', {
      detail: message,
      errors: [{ pointer: '/model', code: 'unavailable', message }],
    });
  }

  /** Returns an empty list for a model without a known price. */
  private buildCandidates(provider: AiProvider, model: string): ModelCandidate[] {
    const price = findPrice(provider.name, model);
    return price ? [{ provider, model, price }] : [];
  }
}

interface ProviderSettings {
  readonly apiKey: string | undefined;
  readonly baseUrl: string | undefined;
  readonly model: string;
}

function buildOptions(
  name: AiProviderName,
  { apiKey, baseUrl: baseURL, model }: ProviderSettings,
): AiSdkProviderOptions {
  const common = baseURL === undefined ? {} : { baseURL };
  const options = {
    name,
    defaultModel: model,
    missingSetting: apiKey ? undefined : `AI_${name.toUpperCase()}_API_KEY`,
  };
  switch (name) {
    case 'anthropic':
      return {
        ...options,
        model: (id, fetchFn) => createAnthropic({ ...common, fetch: fetchFn, apiKey: apiKey ?? '' })(id),
      };
    case 'google':
      return {
        ...options,
        model: (id, fetchFn) => createGoogleGenerativeAI({ ...common, fetch: fetchFn, apiKey: apiKey ?? '' })(id),
      };
    case 'openai':
      return {
        ...options,
        model: (id, fetchFn) => createOpenAI({ ...common, fetch: fetchFn, apiKey: apiKey ?? '' }).chat(id),
      };
    case 'local':
      return {
        ...options,
        missingSetting: baseURL ? undefined : 'AI_LOCAL_BASE_URL',
        model: (id, fetchFn) => createOpenAI({ ...common, fetch: fetchFn, apiKey: apiKey ?? 'none' }).chat(id),
      };
  }
}

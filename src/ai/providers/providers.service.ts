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

/** A model that may be called, what it charges and by whom it is called. */
export interface ModelCandidate {
  readonly provider: AiProvider;
  readonly model: string;
  readonly price: ModelPrice;
}

/** The vendors of this installation, in the order they are tried. */
@Injectable()
export class ProvidersService {
  readonly all: readonly AiProvider[];

  constructor({ ai }: Config) {
    this.all = ai.order.map((name) => new AiSdkProvider(buildOptions(name, ai.vendors[name])));
  }

  /**
   * Returns the models to try, best first: the one that is named and no other, or the default of every vendor that can
   * be called.
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
      detail: `The operator of this server sets one of ${wanted.join(', ')}.`,
    });
  }

  private findCandidate(model: string): ModelCandidate {
    const name = MODEL_ALIASES[model] ?? PRICE_LIST.find((entry) => entry.model === model)?.provider;
    const provider = this.all.find((one) => one.name === name || (one.name === 'local' && one.defaultModel === model));
    const found = provider && this.buildCandidates(provider, model in MODEL_ALIASES ? provider.defaultModel : model)[0];
    if (!found) {
      const message = `no model is called ${model}; GET /v1/ai/models lists them`;
      throw new AppError('ai.model_unknown', {
        detail: message,
        errors: [{ pointer: '/model', code: 'model_unknown', message }],
      });
    }
    const { missingSetting } = found.provider;
    if (missingSetting === undefined) return found;
    const message = `${model} needs the setting ${missingSetting}`;
    throw new AppError('ai.model_unavailable', {
      detail: message,
      errors: [{ pointer: '/model', code: 'unavailable', message }],
    });
  }

  /** None for a model whose price nobody knows. */
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
        model: (id, fetchIt) => createAnthropic({ ...common, fetch: fetchIt, apiKey: apiKey ?? '' })(id),
      };
    case 'google':
      return {
        ...options,
        model: (id, fetchIt) => createGoogleGenerativeAI({ ...common, fetch: fetchIt, apiKey: apiKey ?? '' })(id),
      };
    case 'openai':
      return {
        ...options,
        model: (id, fetchIt) => createOpenAI({ ...common, fetch: fetchIt, apiKey: apiKey ?? '' }).chat(id),
      };
    case 'local':
      return {
        ...options,
        missingSetting: baseURL ? undefined : 'AI_LOCAL_BASE_URL',
        model: (id, fetchIt) => createOpenAI({ ...common, fetch: fetchIt, apiKey: apiKey ?? 'none' }).chat(id),
      };
  }
}

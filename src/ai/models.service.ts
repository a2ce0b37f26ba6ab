import { Injectable } from '@nestjs/common';
import { type ModelDto, type ModelListDto } from './ai.dto';
import { MODEL_ALIASES, PRICE_LIST, PRICE_LIST_VERSION, findPrice, type ModelPrice } from './usage/cost';
import type { AiProvider } from './providers/provider';
import { ProvidersService } from './providers/providers.service';

/** Lists the AI models of this installation. */
@Injectable()
export class ModelsService {
  constructor(private readonly providers: ProvidersService) {}

  /** Returns all models with a known price; the alias of a provider comes last. */
  list(): ModelListDto {
    return { items: this.providers.all.flatMap(listProviderModels), priceListVersion: PRICE_LIST_VERSION };
  }
}

function listProviderModels(provider: AiProvider): ModelDto[] {
  const prices = PRICE_LIST.filter((price) => price.provider === provider.name);
  const defaultPrice = findPrice(provider.name, provider.defaultModel);
  const [alias] = Object.entries(MODEL_ALIASES).find(([, name]) => name === provider.name) ?? [];
  return [
    ...prices.map((price) => toModelDto(price.model, price, provider)),
    ...(defaultPrice && !prices.some(({ model }) => model === defaultPrice.model)
      ? [toModelDto(defaultPrice.model, defaultPrice, provider)]
      : []),
    ...(alias && defaultPrice ? [{ ...toModelDto(alias, defaultPrice, provider), isDefault: false }] : []),
  ];
}

function toModelDto(
  id: string,
  { input, output }: ModelPrice,
  { name, defaultModel, missingSetting }: AiProvider,
): ModelDto {
  return {
    id,
    provider: name,
    isAvailable: missingSetting === undefined,
    missingSetting: missingSetting ?? null,
    isDefault: id === defaultModel,
    inputUsdPerMillion: input,
    outputUsdPerMillion: output,
  };
}

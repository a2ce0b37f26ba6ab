import { Injectable } from '@nestjs/common';
import { type ModelDto, type ModelListDto } from './ai.dto';
import { MODEL_ALIASES, PRICE_LIST, PRICE_LIST_VERSION, findPrice, type ModelPrice } from './usage/cost';
import type { AiProvider } from './providers/provider';
import { ProvidersService } from './providers/providers.service';

/** The models of this installation, as its users see them. */
@Injectable()
export class ModelsService {
  constructor(private readonly providers: ProvidersService) {}

  /** Returns all models whose price is known, aliases last of each vendor. */
  list(): ModelListDto {
    return { items: this.providers.all.flatMap(listProviderModels), priceListVersion: PRICE_LIST_VERSION };
  }
}

function listProviderModels(provider: AiProvider): ModelDto[] {
  const listed = PRICE_LIST.filter((price) => price.provider === provider.name);
  const standard = findPrice(provider.name, provider.defaultModel);
  const [alias] = Object.entries(MODEL_ALIASES).find(([, name]) => name === provider.name) ?? [];
  return [
    ...listed.map((price) => toModelDto(price.model, price, provider)),
    ...(standard && !listed.some(({ model }) => model === standard.model)
      ? [toModelDto(standard.model, standard, provider)]
      : []),
    ...(alias && standard ? [{ ...toModelDto(alias, standard, provider), isDefault: false }] : []),
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

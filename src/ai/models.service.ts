import { Injectable } from '@nestjs/common';
import type { ModelDto } from './dto/model.dto';
import type { ModelListDto } from './dto/model-list.dto';
import { MODEL_ALIASES, PRICE_LIST, PRICE_LIST_VERSION, priceOf, type ModelPrice } from './price-list';
import type { Provider } from './providers/provider';
import { Providers } from './providers/providers.service';

/** The models of this installation, as its users see them. */
@Injectable()
export class Models {
  constructor(private readonly providers: Providers) {}

  /** Returns all models whose price is known, aliases last of each vendor. */
  list(): ModelListDto {
    return { items: this.providers.all.flatMap(modelsOf), priceListVersion: PRICE_LIST_VERSION };
  }
}

function modelsOf(provider: Provider): ModelDto[] {
  const listed = PRICE_LIST.filter((price) => price.provider === provider.name);
  const standard = priceOf(provider.name, provider.defaultModel);
  const [alias] = Object.entries(MODEL_ALIASES).find(([, name]) => name === provider.name) ?? [];
  return [
    ...listed.map((price) => toDto(price.model, price, provider)),
    ...(standard && !listed.some(({ model }) => model === standard.model)
      ? [toDto(standard.model, standard, provider)]
      : []),
    ...(alias && standard ? [{ ...toDto(alias, standard, provider), isDefault: false }] : []),
  ];
}

function toDto(id: string, { input, output }: ModelPrice, { name, defaultModel, missingSetting }: Provider): ModelDto {
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

import type { getMetadataStorage } from 'class-validator';

type Rule = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];

/** How long the rules of one field let its value be. A limit that no rule sets is undefined. */
export interface ValueLimits {
  readonly length: number | undefined;
  readonly items: number | undefined;
  readonly itemLength: number | undefined;
}

/** Reads the limits from the rules of one field. */
export function limitsOf(rules: readonly Rule[]): ValueLimits {
  const own = rules.filter(({ each }) => !each);
  return {
    length: smallest(own.map(maxLengthOf)),
    items: smallest(own.map((rule) => (rule.name === 'arrayMaxSize' ? constraintOf(rule, 0) : undefined))),
    itemLength: smallest(rules.filter(({ each }) => each).map(maxLengthOf)),
  };
}

/**
 * Cuts a value that breaks a limit to the shortest that still breaks it. The field is refused either way, but its other
 * rules (an e-mail pattern, the rule of each item) then read no more than a legal value holds. Returns a value within
 * the limits itself.
 */
export function cutToLimits(value: unknown, { length, items, itemLength }: ValueLimits): unknown {
  if (typeof value === 'string') return cutText(value, length);
  if (!Array.isArray(value)) return value;
  const list: unknown[] = items !== undefined && value.length > items ? value.slice(0, items + 1) : value;
  if (itemLength === undefined) return list;
  const cut = list.map((item) => (typeof item === 'string' ? cutText(item, itemLength) : item));
  return cut.every((item, index) => item === list[index]) ? list : cut;
}

/** Lengths count code points, which are one or two units each. */
function cutText(text: string, limit: number | undefined): string {
  return limit === undefined || text.length <= 2 * limit + 2 ? text : text.slice(0, 2 * limit + 2);
}

function maxLengthOf(rule: Rule): number | undefined {
  // Both names are TextLength's, whose constraints are the least and the most.
  return rule.name === 'maxLength' || rule.name === 'isLength' ? constraintOf(rule, 1) : undefined;
}

function constraintOf({ constraints }: Rule, index: number): number | undefined {
  const value: unknown = (constraints as unknown[] | undefined)?.[index];
  return typeof value === 'number' ? value : undefined;
}

function smallest(limits: readonly (number | undefined)[]): number | undefined {
  const set = limits.filter((limit) => limit !== undefined);
  return set.length === 0 ? undefined : Math.min(...set);
}

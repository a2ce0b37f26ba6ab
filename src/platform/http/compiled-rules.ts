import type { Type } from '@nestjs/common';
import { TransformationType, type TransformFnParams } from 'class-transformer';
import { defaultMetadataStorage } from 'class-transformer/cjs/storage';
import { getMetadataStorage, ValidationTypes, type ValidationArguments } from 'class-validator';

type Rules = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>;
type Condition = (object: object, value: unknown) => boolean;
type Check = (object: object, value: unknown) => boolean;

/** What one field of a DTO has been declared with. */
interface Field {
  readonly transforms: readonly ((params: TransformFnParams) => unknown)[];
  readonly conditions: readonly Condition[];
  readonly checks: readonly Check[];
}

/**
 * The rules of one DTO class, gathered once from the decorators that class-validator and class-transformer keep: those
 * two look all of them up again for each object, which costs a small write a seventh of its CPU time. Only good input is
 * recognised here; whatever is not is left to them, who also tell what is wrong with it.
 */
export class CompiledRules {
  private static readonly known = new Map<Type, CompiledRules | null>();

  /** Made by `of`. */
  constructor(
    private readonly type: Type,
    private readonly fields: ReadonlyMap<string, Field>,
  ) {}

  /** The class's rules; null for one whose decorators do more than transform and check the fields themselves. */
  static of(type: Type): CompiledRules | null {
    let rules = CompiledRules.known.get(type);
    if (rules === undefined) CompiledRules.known.set(type, (rules = compile(type)));
    return rules;
  }

  /** The instance that class-transformer would make of this object, if all its values keep the rules; else null. */
  accept(plain: object): object | null {
    const instance = new this.type() as Record<string, unknown>;
    for (const [name, value] of Object.entries(plain)) {
      const field = this.fields.get(name);
      if (!field) return null;
      let transformed: unknown = value;
      for (const transform of field.transforms) {
        transformed = transform({ value: transformed, key: name, obj: plain, type: TransformationType.PLAIN_TO_CLASS, options: {} });
      }
      instance[name] = transformed;
    }
    for (const [name, { conditions, checks }] of this.fields) {
      const value = instance[name];
      if (!conditions.every((condition) => condition(instance, value))) continue;
      if (!checks.every((check) => check(instance, value))) return null;
    }
    return instance;
  }
}

function compile(type: Type): CompiledRules | null {
  const rules = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
  if (rules.some((rule) => !isSimple(rule))) return null;
  const names = [...new Set(rules.map(({ propertyName }) => propertyName))];
  if (names.some((name) => isShaped(type, name))) return null;
  const fields = names.map((name): [string, Field] => {
    const own = rules.filter(({ propertyName }) => propertyName === name);
    return [name, { transforms: transformsOf(type, name), conditions: conditionsOf(own), checks: own.flatMap(checksOf) }];
  });
  return new CompiledRules(type, new Map(fields));
}

/** Nested objects, promises and rules of groups are class-validator's own affair. */
function isSimple({ type, groups }: Rules[number]): boolean {
  const known: string[] = [ValidationTypes.CUSTOM_VALIDATION, ValidationTypes.CONDITIONAL_VALIDATION];
  return known.includes(type) && (groups ?? []).length === 0;
}

function isShaped(type: Type, name: string): boolean {
  const storage = defaultMetadataStorage;
  const found = [storage.findTypeMetadata(type, name), storage.findExposeMetadata(type, name), storage.findExcludeMetadata(type, name)];
  return found.some((metadata) => metadata !== undefined);
}

function transformsOf(type: Type, name: string): Field['transforms'] {
  return defaultMetadataStorage
    .findTransformMetadatas(type, name, TransformationType.PLAIN_TO_CLASS)
    .map(({ transformFn }) => transformFn);
}

function conditionsOf(rules: Rules): Condition[] {
  return rules
    .filter(({ type }) => type === ValidationTypes.CONDITIONAL_VALIDATION)
    .map(({ constraints }) => (constraints as Condition[])[0]!);
}

function checksOf(rule: Rules[number]): Check[] {
  if (rule.type !== ValidationTypes.CUSTOM_VALIDATION) return [];
  const { constraints, propertyName: property, target } = rule;
  const targetName = typeof target === 'function' ? target.name : target;
  return getMetadataStorage()
    .getTargetValidatorConstraints(rule.constraintCls)
    .map(({ instance: validator }) => (object, value) => {
      if (rule.validateIf && !rule.validateIf(object, value)) return true;
      const args: ValidationArguments = { targetName, property, object, value, constraints: constraints as unknown[] };
      // A promise is not `true`: class-validator waits for it.
      if (!rule.each) return validator.validate(value, args) === true;
      return Array.isArray(value) && value.every((item) => validator.validate(item, args) === true);
    });
}

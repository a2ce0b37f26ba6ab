import { type ArgumentMetadata, Injectable, type PipeTransform, type Type } from '@nestjs/common';
import { plainToInstance, TransformationType, type TransformFnParams } from 'class-transformer';
import { defaultMetadataStorage } from 'class-transformer/cjs/storage';
import { getMetadataStorage, validate, type ValidationArguments, ValidationTypes } from 'class-validator';
import { AppError, invalidValue } from '../../errors/app-error';
import { describeErrors, findUnknownNames, listKnownNames, MAX_ERRORS, toFieldErrors } from './field-errors';

type Rule = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];

/** The length limits in the rules of one field. A limit without a rule is undefined. */
interface ValueLimits {
  readonly length: number | undefined;
  readonly items: number | undefined;
  readonly itemLength: number | undefined;
}

/** Reads the limits from the rules of one field. */
export function readLimits(rules: readonly Rule[]): ValueLimits {
  const own = rules.filter(({ each }) => !each);
  return {
    length: findSmallest(own.map(readMaxLength)),
    items: findSmallest(own.map((rule) => (rule.name === 'arrayMaxSize' ? readConstraint(rule, 0) : undefined))),
    itemLength: findSmallest(rules.filter(({ each }) => each).map(readMaxLength)),
  };
}

/**
 * Truncates a value that exceeds a limit to the shortest one that still exceeds it. The field is rejected either way,
 * but its other rules (an email pattern, the rules of items) read less. A value within the limits is returned
 * unchanged.
 */
function truncateToLimits(value: unknown, { length, items, itemLength }: ValueLimits): unknown {
  if (typeof value === 'string') return truncateText(value, length);
  if (!Array.isArray(value)) return value;
  const list: unknown[] = items !== undefined && value.length > items ? value.slice(0, items + 1) : value;
  if (itemLength === undefined) return list;
  const truncatedItems = list.map((item) => (typeof item === 'string' ? truncateText(item, itemLength) : item));
  return truncatedItems.every((item, index) => item === list[index]) ? list : truncatedItems;
}

/** Truncates a text by UTF-16 units; a code point, which limits count, has one or two of them. */
function truncateText(text: string, limit: number | undefined): string {
  return limit === undefined || text.length <= 2 * limit + 2 ? text : text.slice(0, 2 * limit + 2);
}

function readMaxLength(rule: Rule): number | undefined {
  // Both rules are made by TextLength, whose constraints are the minimum and the maximum.
  return rule.name === 'maxLength' || rule.name === 'isLength' ? readConstraint(rule, 1) : undefined;
}

function readConstraint({ constraints }: Rule, index: number): number | undefined {
  const value: unknown = (constraints as unknown[] | undefined)?.[index];
  return typeof value === 'number' ? value : undefined;
}

function findSmallest(limits: readonly (number | undefined)[]): number | undefined {
  const set = limits.filter((limit) => limit !== undefined);
  return set.length === 0 ? undefined : Math.min(...set);
}

type Rules = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>;
type Condition = (object: object, value: unknown) => boolean;
type Check = (object: object, value: unknown) => boolean;

/** The declared rules of one field of a DTO. */
interface Field {
  readonly transforms: readonly ((params: TransformFnParams) => unknown)[];
  readonly conditions: readonly Condition[];
  readonly checks: readonly Check[];
  readonly limits: ValueLimits;
}

/**
 * The rules of one DTO class, read once from the decorators of class-validator and class-transformer. Those libraries
 * look them up for each object, which costs 14 % of the CPU time of a small write. This class accepts valid input;
 * class-validator describes the errors of the rest.
 */
export class CompiledValidation {
  private static readonly compiledTypes = new Map<Type, CompiledValidation | null>();

  /** Instances with a truncated value. */
  private static readonly truncated = new WeakSet<object>();

  /** Call `of` instead. */
  constructor(
    private readonly type: Type,
    private readonly fields: ReadonlyMap<string, Field>,
  ) {}

  /**
   * Returns an accepted instance.
   * @throws Error when one of its values was truncated: then a limit was read differently from its rule, and data is
   *   lost
   */
  static assertNotTruncated<T extends object>(instance: T): T {
    if (!CompiledValidation.truncated.has(instance)) return instance;
    throw new Error(`${instance.constructor.name} accepts a value that was truncated`);
  }

  /** Returns the rules of a class; null if its decorators do more than transform and check single fields. */
  static of(type: Type): CompiledValidation | null {
    let rules = CompiledValidation.compiledTypes.get(type);
    if (rules === undefined) CompiledValidation.compiledTypes.set(type, (rules = compile(type)));
    return rules;
  }

  /** Returns the instance that class-transformer would make of a valid object; null for an invalid one. */
  accept(plain: object): object | null {
    if (!Object.keys(plain).every((name) => this.fields.has(name))) return null;
    const instance = this.instantiate(plain) as Record<string, unknown>;
    for (const [name, { conditions, checks }] of this.fields) {
      const value = instance[name];
      if (!conditions.every((condition) => condition(instance, value))) continue;
      if (!checks.every((check) => check(instance, value))) return null;
    }
    return CompiledValidation.assertNotTruncated(instance);
  }

  /** Creates an instance from the known names. A value beyond its limits is truncated, and still too long. */
  instantiate(plain: object): object {
    const instance = new this.type() as Record<string, unknown>;
    for (const [name, { transforms, limits }] of this.fields) {
      if (!Object.hasOwn(plain, name)) continue;
      let value: unknown = (plain as Record<string, unknown>)[name];
      for (const transform of transforms) {
        value = transform({ value, key: name, obj: plain, type: TransformationType.PLAIN_TO_CLASS, options: {} });
      }
      instance[name] = truncateToLimits(value, limits);
      if (!Object.is(instance[name], value)) CompiledValidation.truncated.add(instance);
    }
    return instance;
  }
}

function compile(type: Type): CompiledValidation | null {
  const rules = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
  if (rules.some((rule) => !isSimple(rule))) return null;
  const names = [...new Set(rules.map(({ propertyName }) => propertyName))];
  if (names.some((name) => hasTypeMetadata(type, name))) return null;
  const fields = names.map((name): [string, Field] => {
    const own = rules.filter(({ propertyName }) => propertyName === name);
    const transforms = listTransforms(type, name);
    return [
      name,
      { transforms, conditions: listConditions(own), checks: own.flatMap(buildChecks), limits: readLimits(own) },
    ];
  });
  return new CompiledValidation(type, new Map(fields));
}

/** Returns false for nested objects, promises and groups, which are left to class-validator. */
function isSimple({ type, groups }: Rules[number]): boolean {
  const known: string[] = [ValidationTypes.CUSTOM_VALIDATION, ValidationTypes.CONDITIONAL_VALIDATION];
  return known.includes(type) && (groups ?? []).length === 0;
}

function hasTypeMetadata(type: Type, name: string): boolean {
  const storage = defaultMetadataStorage;
  const found = [
    storage.findTypeMetadata(type, name),
    storage.findExposeMetadata(type, name),
    storage.findExcludeMetadata(type, name),
  ];
  return found.some((metadata) => metadata !== undefined);
}

function listTransforms(type: Type, name: string): Field['transforms'] {
  return defaultMetadataStorage
    .findTransformMetadatas(type, name, TransformationType.PLAIN_TO_CLASS)
    .map(({ transformFn }) => transformFn);
}

function listConditions(rules: Rules): Condition[] {
  return rules
    .filter(({ type }) => type === ValidationTypes.CONDITIONAL_VALIDATION)
    .map(({ constraints }) => (constraints as Condition[])[0]!);
}

function buildChecks(rule: Rules[number]): Check[] {
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

/** Types that Nest reports for arguments without a DTO class. */
const PLAIN_TYPES = new Set<unknown>([String, Number, Boolean, Array, Object, Date, Buffer]);

/**
 * Converts bodies and queries to instances of their DTO class and validates them. Unknown fields and parameters are
 * rejected. The compiled rules accept valid input; class-validator describes the errors of the rest. The cost depends
 * on the class, not on the input: unknown names are not transformed, too long values are truncated, and at most 50
 * errors are collected.
 */
@Injectable()
export class RequestValidationPipe implements PipeTransform {
  /** @throws AppError `validation.failed` with a JSON pointer for each wrong value */
  async transform(value: unknown, { type, metatype }: ArgumentMetadata): Promise<unknown> {
    if (type === 'custom' || !metatype || PLAIN_TYPES.has(metatype)) return value;
    const plain = asObject(value);
    const rules = CompiledValidation.of(metatype);
    const accepted = rules?.accept(plain);
    if (accepted) return accepted;
    const known = listKnownNames(metatype);
    const kind = type === 'body' ? 'field' : 'parameter';
    const unknown = findUnknownNames(Object.keys(plain), known, kind);
    const instance = rules?.instantiate(plain) ?? (plainToInstance(metatype, knownPart(plain, known)) as object);
    const invalid = await validate(instance, {
      whitelist: true,
      forbidNonWhitelisted: true,
      // A class without rules accepts only `{}`.
      forbidUnknownValues: false,
    });
    const errors = [...unknown, ...toFieldErrors(invalid, MAX_ERRORS - unknown.length)];
    if (errors.length === 0) return CompiledValidation.assertNotTruncated(instance);
    throw new AppError('validation.failed', { detail: describeErrors(errors, known, kind), errors });
  }
}

function asObject(value: unknown): object {
  if (value === undefined) return {};
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw invalidValue('', 'is_object', 'The body must be a JSON object.');
}

function knownPart(plain: object, known: ReadonlySet<string>): object {
  const names = [...known].filter((name) => Object.hasOwn(plain, name));
  return Object.fromEntries(names.map((name) => [name, (plain as Record<string, unknown>)[name]]));
}

/** Converts an id in a path to a number from 1 to 2^53-1. `@Param('id', ParseIdPipe) id: number` */
@Injectable()
export class ParseIdPipe implements PipeTransform<string, number> {
  /** @throws AppError `validation.failed` */
  transform(value: string, { data }: ArgumentMetadata): number {
    const id = /^[1-9]\d{0,15}$/.test(value) ? Number(value) : NaN;
    if (!Number.isSafeInteger(id)) {
      const name = data ?? 'id';
      throw invalidValue(
        `/${name}`,
        'invalid_id',
        `${name} must be a whole number from 1 to ${Number.MAX_SAFE_INTEGER}.`,
      );
    }
    return id;
  }
}

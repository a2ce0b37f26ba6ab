import {
  getFromContainer,
  getMetadataStorage,
  ValidationTypes,
  type ValidationError,
  type ValidatorConstraintInterface,
} from 'class-validator';
import type { FieldError } from '../../errors/app-error';
import { describeUnknownName } from './nearest-name';
import { pointerStep } from './fields';

/** Most errors that are collected. */
export const MAX_ERRORS = 50;

/** Most errors that a detail repeats. */
const MAX_DESCRIBED = 3;

/** Known names by class; decorators do not change later. */
const KNOWN_NAMES = new WeakMap<object, ReadonlySet<string>>();

/** Returns the errors of class-validator as one list with JSON pointers, including nested values and list items. */
export function toFieldErrors(errors: readonly ValidationError[], limit = MAX_ERRORS): FieldError[] {
  const found: FieldError[] = [];
  for (const error of errors) collect(error, '', found, limit);
  return found;
}

/** Returns the names of the fields or parameters that a class declares. */
export function listKnownNames(type: object): ReadonlySet<string> {
  let names = KNOWN_NAMES.get(type);
  if (!names) KNOWN_NAMES.set(type, (names = new Set(listRules(type).map(({ propertyName }) => propertyName))));
  return names;
}

/**
 * Returns an error for each unknown name, at most `MAX_ERRORS`.
 * @param kind of the names, for the message
 */
export function findUnknownNames(
  names: readonly string[],
  known: ReadonlySet<string>,
  kind: 'field' | 'parameter' = 'field',
): FieldError[] {
  const errors: FieldError[] = [];
  for (const name of names) {
    if (known.has(name)) continue;
    errors.push({ pointer: pointerStep(name), code: 'unknown_field', message: describeUnknownName(kind, name, known) });
    if (errors.length === MAX_ERRORS) break;
  }
  return errors;
}

/**
 * Returns the errors as sentences: the first three, the number of the others, and the known names if a name is unknown.
 */
export function describeErrors(errors: readonly FieldError[], known: ReadonlySet<string>, kind: string): string {
  const more = errors.length - MAX_DESCRIBED;
  const hasUnknown = errors.some(({ code }) => code === 'unknown_field');
  return [
    ...errors.slice(0, MAX_DESCRIBED).map(({ message }) => toSentence(message)),
    ...(more > 0 ? [`${more} more in errors.`] : []),
    ...(hasUnknown ? [describeKnownNames(known, kind)] : []),
  ].join(' ');
}

function toSentence(message: string): string {
  return /[.?!]$/.test(message) ? message : `${message}.`;
}

function describeKnownNames(known: ReadonlySet<string>, kind: string): string {
  return known.size === 0 ? 'No names are allowed here.' : `Known ${kind}s: ${[...known].sort().join(', ')}.`;
}

function collect(error: ValidationError, parent: string, found: FieldError[], limit: number): void {
  const pointer = parent + pointerStep(error.property);
  const single = findSingleError(error, pointer);
  if (single) return void found.push(single);
  for (const [constraint, message] of Object.entries(error.constraints ?? {})) {
    if (found.length >= limit) return;
    found.push(...buildConstraintErrors(error, constraint, message, pointer, limit - found.length));
  }
  for (const child of error.children ?? []) {
    if (found.length >= limit) return;
    collect(child, pointer, found, limit);
  }
}

/** Returns the only useful error of a field that is missing, null or of the wrong type; undefined for other fields. */
function findSingleError(
  { property, value, constraints, target }: ValidationError,
  pointer: string,
): FieldError | undefined {
  if (!constraints || 'whitelistValidation' in constraints) return undefined;
  const rules = listRules(target?.constructor).filter(({ propertyName, each }) => propertyName === property && !each);
  const isOptional = rules.some(({ type }) => type === ValidationTypes.CONDITIONAL_VALIDATION);
  if (value === null && isOptional)
    return { pointer, code: 'not_null', message: `${property} must not be null. Leave it out.` };
  if ((value === undefined || value === null) && !isOptional) {
    return { pointer, code: 'required', message: `${property} is required.` };
  }
  if ('isInt' in constraints || 'min' in constraints || 'max' in constraints)
    return buildIntegerError(property, constraints, rules, pointer);
  const type = rules.find(({ name }) => name !== undefined && name in constraints && TYPE_RULES.has(name))?.name;
  return type === undefined
    ? undefined
    : { pointer, code: toErrorCode(type), message: toSentence(constraints[type] ?? '') };
}

/** Rules of the type. Without them no other rule of a field makes sense. */
const TYPE_RULES: ReadonlySet<string> = new Set(['isString', 'isBoolean', 'isArray', 'isDate', 'isObject']);

/** Returns the type and the range of a whole number as one error. */
function buildIntegerError(
  property: string,
  constraints: Readonly<Record<string, string>>,
  rules: ReturnType<typeof listRules>,
  pointer: string,
): FieldError | undefined {
  const limitOf = (name: string) => rules.find((rule) => rule.name === name)?.constraints?.[0] as number | undefined;
  const [min, max] = [limitOf('min'), limitOf('max')];
  if (!rules.some(({ name }) => name === 'isInt')) return undefined;
  const range = min === undefined ? '' : max === undefined ? ` of at least ${min}` : ` from ${min} to ${max}`;
  const [first = 'isInt'] = ['isInt', 'min', 'max'].filter((name) => name in constraints);
  return { pointer, code: toErrorCode(first), message: `${property} must be a whole number${range}.` };
}

/** Returns an error for each wrong item of a list (`{each: true}`), where class-validator has one for the list. */
function buildConstraintErrors(
  error: ValidationError,
  constraint: string,
  message: string,
  pointer: string,
  limit: number,
): FieldError[] {
  if (constraint === 'whitelistValidation') {
    return [{ pointer, code: 'unknown_field', message: describeUnknownName('field', error.property, []) }];
  }
  const code = toErrorCode(constraint);
  const text = message.replace(/^each value in |\.$/g, '');
  const items = findWrongItems(error, constraint, limit);
  if (items.length === 0) return [{ pointer, code, message: toSentence(text) }];
  return items.map((index) => ({ pointer: `${pointer}/${index}`, code, message: `${text} (item ${index}).` }));
}

/** Converts `isString` to `is_string`. */
function toErrorCode(constraint: string): string {
  return constraint.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`);
}

function findWrongItems(error: ValidationError, constraint: string, limit: number): number[] {
  const value: unknown = error.value;
  if (!Array.isArray(value) || !error.target) return [];
  const rule = listRules(error.target.constructor).find(
    ({ propertyName, each, name }) => propertyName === error.property && each && name === constraint,
  );
  if (!rule) return [];
  const validator = getFromContainer<ValidatorConstraintInterface>(
    rule.constraintCls as new () => ValidatorConstraintInterface,
  );
  const args = { constraints: rule.constraints, targetName: '', object: error.target, property: error.property };
  const wrong: number[] = [];
  for (let index = 0; index < value.length && wrong.length < limit; index += 1) {
    const item: unknown = value[index];
    if (validator.validate(item, { ...args, value: item }) === false) wrong.push(index);
  }
  return wrong;
}

function listRules(target: unknown) {
  return typeof target === 'function' ? getMetadataStorage().getTargetValidationMetadatas(target, '', true, false) : [];
}

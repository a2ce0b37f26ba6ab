import { getFromContainer, getMetadataStorage, type ValidationError, type ValidatorConstraintInterface } from 'class-validator';
import type { FieldError } from '../errors/app-error';
import { pointerStep, shown } from './text';

/** More than a person would mend at once. Nothing looks for more. */
export const MAX_ERRORS = 50;

/** Names per class, as the decorators do not change once the class is there. */
const NAMES = new WeakMap<object, ReadonlySet<string>>();

/** Returns what class-validator found as one list with JSON pointers, nested values and list items included. */
export function fieldErrorsOf(errors: readonly ValidationError[], limit = MAX_ERRORS): FieldError[] {
  const found: FieldError[] = [];
  for (const error of errors) collect(error, '', found, limit);
  return found;
}

/** Returns the names of the fields or parameters that a class declares. */
export function knownNamesOf(type: object): ReadonlySet<string> {
  let names = NAMES.get(type);
  if (!names) NAMES.set(type, (names = new Set(rulesOf(type).map(({ propertyName }) => propertyName))));
  return names;
}

/** Returns an error for each name that is not known, at most `MAX_ERRORS`. */
export function unknownFields(names: readonly string[], known: ReadonlySet<string>): FieldError[] {
  const errors: FieldError[] = [];
  for (const name of names) {
    if (known.has(name)) continue;
    errors.push({ pointer: pointerStep(name), code: 'unknown_field', message: `${shown(name)} is unknown` });
    if (errors.length === MAX_ERRORS) break;
  }
  return errors;
}

/** Says which names there are, once for all that are not. */
export function knownNamesHint(known: ReadonlySet<string>): string {
  return known.size === 0 ? 'nothing is expected here' : `known are ${[...known].sort().join(', ')}`;
}

function collect(error: ValidationError, parent: string, found: FieldError[], limit: number): void {
  const pointer = parent + pointerStep(error.property);
  for (const [constraint, message] of Object.entries(error.constraints ?? {})) {
    if (found.length >= limit) return;
    found.push(...errorsOfConstraint(error, constraint, message, pointer, limit - found.length));
  }
  for (const child of error.children ?? []) {
    if (found.length >= limit) return;
    collect(child, pointer, found, limit);
  }
}

/** class-validator blames a list for its items (`{each: true}`); here each wrong item is blamed itself. */
function errorsOfConstraint(
  error: ValidationError,
  constraint: string,
  message: string,
  pointer: string,
  limit: number,
): FieldError[] {
  if (constraint === 'whitelistValidation') {
    return [{ pointer, code: 'unknown_field', message: `${shown(error.property)} is unknown` }];
  }
  const code = constraint.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const text = message.replace(/^each value in /, '');
  const items = wrongItems(error, constraint, limit);
  if (items.length === 0) return [{ pointer, code, message: text }];
  return items.map((index) => ({ pointer: `${pointer}/${index}`, code, message: `${text} (item ${index})` }));
}

function wrongItems(error: ValidationError, constraint: string, limit: number): number[] {
  const value: unknown = error.value;
  if (!Array.isArray(value) || !error.target) return [];
  const rule = rulesOf(error.target.constructor).find(
    ({ propertyName, each, name }) => propertyName === error.property && each && name === constraint,
  );
  if (!rule) return [];
  const validator = getFromContainer<ValidatorConstraintInterface>(rule.constraintCls as new () => ValidatorConstraintInterface);
  const args = { constraints: rule.constraints, targetName: '', object: error.target, property: error.property };
  const wrong: number[] = [];
  for (let index = 0; index < value.length && wrong.length < limit; index += 1) {
    const item: unknown = value[index];
    if (validator.validate(item, { ...args, value: item }) === false) wrong.push(index);
  }
  return wrong;
}

function rulesOf(target: unknown) {
  return typeof target === 'function' ? getMetadataStorage().getTargetValidationMetadatas(target, '', true, false) : [];
}

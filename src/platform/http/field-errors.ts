import { getFromContainer, getMetadataStorage, type ValidationError, type ValidatorConstraintInterface } from 'class-validator';
import type { FieldError } from '../errors/app-error';
import { pointerStep } from './text';

/** More than a person would mend at once. */
const MAX_ERRORS = 50;

/** Returns what class-validator found as one list with JSON pointers, nested values and list items included. */
export function fieldErrorsOf(errors: readonly ValidationError[]): FieldError[] {
  return errors.flatMap((error) => errorsUnder(error, '')).slice(0, MAX_ERRORS);
}

/** The error of a field or parameter that the class does not know. */
export function unknownField(name: string, target: unknown): FieldError {
  const known = [...new Set(rulesOf(target).map(({ propertyName }) => propertyName))].sort();
  const hint = known.length === 0 ? 'nothing is expected here' : `known are ${known.join(', ')}`;
  return { pointer: pointerStep(name), code: 'unknown_field', message: `${name} is unknown; ${hint}` };
}

function errorsUnder(error: ValidationError, parent: string): FieldError[] {
  const pointer = parent + pointerStep(error.property);
  const own = Object.entries(error.constraints ?? {}).flatMap(([constraint, message]) =>
    constraint === 'whitelistValidation'
      ? [{ ...unknownField(error.property, error.target?.constructor), pointer }]
      : errorsOfConstraint(error, constraint, message, pointer),
  );
  return [...own, ...(error.children ?? []).flatMap((child) => errorsUnder(child, pointer))];
}

/** class-validator blames a list for its items (`{each: true}`); here each wrong item is blamed itself. */
function errorsOfConstraint(error: ValidationError, constraint: string, message: string, pointer: string): FieldError[] {
  const code = constraint.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const text = message.replace(/^each value in /, '');
  const items = wrongItems(error, constraint);
  if (items.length === 0) return [{ pointer, code, message: text }];
  return items.map((index) => ({ pointer: `${pointer}/${index}`, code, message: `${text} (item ${index})` }));
}

function wrongItems(error: ValidationError, constraint: string): number[] {
  const value: unknown = error.value;
  if (!Array.isArray(value) || !error.target) return [];
  const rule = rulesOf(error.target.constructor).find(
    ({ propertyName, each, name }) => propertyName === error.property && each && name === constraint,
  );
  if (!rule) return [];
  const validator = getFromContainer<ValidatorConstraintInterface>(rule.constraintCls as new () => ValidatorConstraintInterface);
  const args = { constraints: rule.constraints, targetName: '', object: error.target, property: error.property };
  return value.flatMap((item: unknown, index) =>
    validator.validate(item, { ...args, value: item }) === false ? [index] : [],
  );
}

function rulesOf(target: unknown) {
  return typeof target === 'function' ? getMetadataStorage().getTargetValidationMetadatas(target, '', true, false) : [];
}

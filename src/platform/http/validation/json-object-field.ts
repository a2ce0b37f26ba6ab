import { Transform, type TransformFnParams } from 'class-transformer';
import { ValidateBy } from 'class-validator';
import { invalidValue } from '../../errors/app-error';
import { Field, type FieldOptions } from './fields';

/** Limits of a JSON object: its bytes as text, and its levels. */
interface JsonObjectLimits {
  readonly maxBytes: number;
  readonly maxDepth: number;
}

/** Declares a JSON object of at most `maxBytes` and `maxDepth` levels. Its value is not changed. */
export function JsonObjectField({
  maxBytes,
  maxDepth,
  ...options
}: FieldOptions & JsonObjectLimits): PropertyDecorator {
  return Field(
    { type: 'object', additionalProperties: true },
    options,
    // class-transformer passes a copy without keys such as `constructor`.
    Transform(({ obj, key }: TransformFnParams): unknown => (obj as Record<string, unknown>)[key]),
    ValidateBy({
      name: 'jsonObject',
      validator: {
        validate: (value: unknown) => isWithin(value, maxBytes, maxDepth),
        defaultMessage: () => buildMessage('$property', maxBytes, maxDepth),
      },
    }),
  );
}

/**
 * Returns the field `name` after a merge patch, within the limits of `JsonObjectField`.
 * @throws AppError `validation.failed` when the result exceeds them
 */
export function patchObject(
  name: string,
  { maxBytes, maxDepth }: JsonObjectLimits,
  target: Record<string, unknown> | null,
  patch: Record<string, unknown>,
): Record<string, unknown> {
  const result = mergePatch(target, patch);
  if (isWithin(result, maxBytes, maxDepth)) return result as Record<string, unknown>;
  throw invalidValue(`/${name}`, 'jsonObject', `${buildMessage(name, maxBytes, maxDepth)} once the patch is merged.`);
}

/**
 * Returns `target` after a JSON merge patch: objects are merged level by level, null removes a member, and other values
 * replace the old ones.
 * @see RFC 7396 section 2
 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const members = new Map<string, unknown>(isObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) members.delete(key);
    else members.set(key, mergePatch(members.get(key), value));
  }
  return Object.fromEntries(members);
}

function buildMessage(name: string, maxBytes: number, maxDepth: number): string {
  return `${name} must be a JSON object of at most ${maxBytes} bytes and ${maxDepth} levels`;
}

function isWithin(value: unknown, maxBytes: number, maxDepth: number): boolean {
  return isObject(value) && isShallow(value, maxDepth) && computeSize(value) <= maxBytes;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isShallow(inner, levels - 1));
}

function computeSize(value: object): number {
  return Buffer.byteLength(JSON.stringify(value));
}

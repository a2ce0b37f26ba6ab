import { applyDecorators } from '@nestjs/common';
import { Transform, type TransformFnParams } from 'class-transformer';
import { ValidateBy } from 'class-validator';

/** A field holding any JSON object of at most `maxBytes` as text and `maxDepth` levels; it is taken as it came. */
export function JsonObjectField(maxBytes: number, maxDepth: number): PropertyDecorator {
  return applyDecorators(
    // class-transformer hands over a copy in which keys such as `constructor` are missing.
    Transform(({ obj, key }: TransformFnParams): unknown => (obj as Record<string, unknown>)[key]),
    ValidateBy({
      name: 'jsonObject',
      validator: {
        validate: (value: unknown) => isObject(value) && isShallow(value, maxDepth) && sizeOf(value) <= maxBytes,
        defaultMessage: () => `$property must be a JSON object of at most ${maxBytes} bytes and ${maxDepth} levels`,
      },
    }),
  );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isShallow(inner, levels - 1));
}

function sizeOf(value: object): number {
  return Buffer.byteLength(JSON.stringify(value));
}

import { applyDecorators } from '@nestjs/common';
import { Transform, type TransformFnParams } from 'class-transformer';
import { IsString } from 'class-validator';
import { TextLength } from './text-length';
import { NullableField } from './fields';

/** A text of 1 to `max` characters, without the white space around it. */
export function TextField(max: number): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: TransformFnParams): unknown => (typeof value === 'string' ? value.trim() : value)),
    IsString(),
    TextLength(1, max),
  );
}

/** A text of at most `max` characters that may be absent or null; an empty one is none, so it becomes null. */
export function NullableTextField(max: number): PropertyDecorator {
  return applyDecorators(
    NullableField(),
    Transform(({ value }: TransformFnParams): unknown => (typeof value === 'string' ? value.trim() || null : value)),
    IsString(),
    TextLength(0, max),
  );
}

import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validate } from 'class-validator';
import { AppError, invalidValue } from '../../errors/app-error';
import { CompiledValidation } from './compiled-validation';
import { describeErrors, toFieldErrors, listKnownNames, MAX_ERRORS, findUnknownNames } from './field-errors';

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

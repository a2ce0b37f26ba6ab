import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validate } from 'class-validator';
import { AppError, invalidValue } from '../../errors/app-error';
import { CompiledValidation } from './compiled-validation';
import { describeErrors, toFieldErrors, listKnownNames, MAX_ERRORS, findUnknownNames } from './field-errors';

/** Types that Nest reports for arguments without a class of rules. */
const PLAIN_TYPES = new Set<unknown>([String, Number, Boolean, Array, Object, Date, Buffer]);

/**
 * Turns bodies and queries into instances of their DTO class and holds them to its rules; a field or parameter the
 * class does not know is refused, with the ones it knows named. The compiled rules accept good input; class-validator
 * describes the rest. What it costs depends on the class, not on the input: unknown names are compared and not
 * transformed, values beyond a field's length are cut, and no more than 50 errors are looked for.
 */
@Injectable()
export class RequestValidationPipe implements PipeTransform {
  /** @throws AppError `validation.failed` with a JSON pointer per value */
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
      // A class without rules takes no field at all; that is a body of `{}`.
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

/** Turns an id in a path into a number: 1 to 2^53-1, in plain digits. `@Param('id', ParseIdPipe) id: number` */
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
        `${name} must be a whole number from 1 to ${Number.MAX_SAFE_INTEGER}`,
      );
    }
    return id;
  }
}

import { Injectable, type ArgumentMetadata, type PipeTransform, type Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validate } from 'class-validator';
import { AppError, invalidValue, type FieldError } from '../errors/app-error';
import { CompiledRules } from './compiled-rules';
import { fieldErrorsOf, unknownField } from './field-errors';

/** Types that Nest reports for arguments without a class of rules. */
const PLAIN_TYPES = new Set<unknown>([String, Number, Boolean, Array, Object, Date, Buffer]);

/**
 * Turns bodies and queries into instances of their DTO class and holds them to its rules; a field or parameter the
 * class does not know is refused, with the ones it knows named. What the compiled rules do not accept is looked at again
 * by class-validator, whose word it is.
 */
@Injectable()
export class RequestValidationPipe implements PipeTransform {
  /** @throws AppError `validation.failed` with a JSON pointer per value */
  async transform(value: unknown, { type, metatype }: ArgumentMetadata): Promise<unknown> {
    if (type === 'custom' || !metatype || PLAIN_TYPES.has(metatype)) return value;
    const plain = asObject(value);
    const accepted = CompiledRules.of(metatype)?.accept(plain);
    if (accepted) return accepted;
    refuseInherited(plain, metatype);
    const instance: unknown = plainToInstance(metatype, plain);
    const errors = await validate(instance as object, {
      whitelist: true,
      forbidNonWhitelisted: true,
      // A class without rules takes no field at all; that is a body of `{}`.
      forbidUnknownValues: false,
    });
    if (errors.length > 0) throw refusal(fieldErrorsOf(errors));
    return instance;
  }
}

function asObject(value: unknown): object {
  if (value === undefined) return {};
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw invalidValue('', 'is_object', 'the body must be a JSON object');
}

/** class-validator takes `toString` and its like for declared, because every object has them. */
function refuseInherited(plain: object, metatype: Type): void {
  const inherited = Object.keys(plain).filter((key) => key in Object.prototype);
  if (inherited.length > 0) throw refusal(inherited.map((key) => unknownField(key, metatype)));
}

function refusal(errors: FieldError[]): AppError {
  return new AppError('validation.failed', { detail: errors.map(({ message }) => message).join('; '), errors });
}

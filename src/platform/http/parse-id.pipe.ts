import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import { invalidValue } from '../errors/app-error';

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

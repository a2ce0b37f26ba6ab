import type { Type } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { assertQuery, type Query } from '../../platform/http/query-string';
import { RequestValidationPipe } from '../../platform/http/request-validation.pipe';
import { returnPath } from './return-path';

/** Media type of a page. */
export const HTML = 'text/html; charset=utf-8';

/** The field, or the parameter of the address, that names the page a form leads to. */
const TO = 'to';

const validation = new RequestValidationPipe();

/**
 * Reads the form of a request by the rules of a class.
 * @throws AppError `validation.failed`
 */
export async function formOf<T>(request: FastifyRequest, rules: Type<T>): Promise<T> {
  const { [TO]: _page, ...form } = { ...(request.body as Query | undefined) };
  assertQuery(form);
  return (await validation.transform(form, { type: 'body', metatype: rules })) as T;
}

/** Returns the page to go on with after a form. */
export function pageAfter(request: FastifyRequest): string {
  const form = request.body as Query | undefined;
  return returnPath(form?.[TO] ?? (request.query as Query)[TO]);
}

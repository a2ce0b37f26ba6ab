import type { Type } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';
import { assertQuery, type Query } from '../../platform/http/validation/query-string';
import { RequestValidationPipe } from '../../platform/http/validation/request-validation.pipe';
import { AppError } from '../../platform/errors/app-error';
import { Transform, type TransformFnParams } from 'class-transformer';
import { IsOptional, IsString } from 'class-validator';
import { AnyCodeField, PasswordField } from '../../auth/accounts/credential-fields';
import { RunTaskDto } from '../api/reason.dto';
import { ApiProperty } from '@nestjs/swagger';
import { TextLength } from '../../platform/http/validation/text';

const HOME = '/admin';

/** Only the path of an address counts. */
const BASE = 'http://dashboard.invalid';

const MAX_LENGTH = 2_000;

/** White space and backslashes, which browsers read in their own ways, and controls. */
const UNSAFE_CHARACTERS = /[\s\\\p{Cc}]/u;

/** Addresses that are no page to come back to. */
const NOT_A_PAGE = /^\/admin\/(?:sign-in|sign-out|confirm|events|style\.css|script\.js)(?:\/|$)/;

/** Returns the page of the dashboard that an address names; the overview for anything else, such as another site. */
export function parseReturnPath(given: unknown): string {
  if (
    typeof given !== 'string' ||
    given.length > MAX_LENGTH ||
    !given.startsWith(HOME) ||
    UNSAFE_CHARACTERS.test(given)
  )
    return HOME;
  if (!URL.canParse(given, BASE)) return HOME;
  const { origin, pathname, search } = new URL(given, BASE);
  const isOurs = origin === BASE && (pathname === HOME || pathname.startsWith(`${HOME}/`));
  return isOurs && !NOT_A_PAGE.test(pathname) ? pathname + search : HOME;
}

/** Returns the address of a form that leads on to the page that was asked for. */
export function addReturnPath(form: string, page: string): string {
  return page === HOME ? form : `${form}?to=${encodeURIComponent(page)}`;
}

/** Media type of a page. */
export const HTML_MEDIA_TYPE = 'text/html; charset=utf-8';

/** The field, or the parameter of the address, that names the page a form leads to. */
const RETURN_PATH_FIELD = 'to';

const validation = new RequestValidationPipe();

/**
 * Reads the form of a request by the rules of a class.
 * @throws AppError `validation.failed`
 */
export async function readForm<T>(request: FastifyRequest, rules: Type<T>): Promise<T> {
  const { [RETURN_PATH_FIELD]: _page, ...form } = { ...(request.body as Query | undefined) };
  assertQuery(form);
  return (await validation.transform(form, { type: 'body', metatype: rules })) as T;
}

/** Returns the page to go on with after a form. */
export function readReturnPath(request: FastifyRequest): string {
  const form = request.body as Query | undefined;
  return parseReturnPath(form?.[RETURN_PATH_FIELD] ?? (request.query as Query)[RETURN_PATH_FIELD]);
}

/**
 * Lets a request that changes something go on only when it comes from a page of ours. Browsers say where a form was sent
 * from, by Sec-Fetch-Site or at least by Origin; what says neither is no browser and has no cookie but its own.
 * @throws AppError `auth.forbidden`
 * @see Fetch Metadata Request Headers (W3C)
 */
export function assertSameOrigin({ method, headers }: FastifyRequest, publicUrl: string): void {
  if (method === 'GET' || method === 'HEAD') return;
  const site = headers['sec-fetch-site'];
  if (site === 'same-origin' || (site === undefined && isSameOrigin(headers.origin, headers.host, publicUrl))) return;
  throw new AppError('auth.forbidden', { detail: 'the form was sent from another site' });
}

function isSameOrigin(origin: string | undefined, host: string | undefined, publicUrl: string): boolean {
  if (origin === undefined) return true;
  return URL.canParse(origin) && (new URL(origin).host === host || origin === new URL(publicUrl).origin);
}

/** The form of an act on the dashboard: why, and where it is needed the proof that it is the admin who asks. */
export class ActionFormDto extends RunTaskDto {
  @UnsetWhenEmpty()
  @IsOptional()
  @PasswordField()
  readonly password?: string;

  @UnsetWhenEmpty()
  @IsOptional()
  @AnyCodeField()
  readonly code?: string;
}

/** A browser sends the fields that were left empty. */
export function UnsetWhenEmpty(): PropertyDecorator {
  return Transform(({ value }: TransformFnParams): unknown => (value === '' ? undefined : value));
}

/** The form by which admins confirm who they are; the code where they have a second factor. */
export class ConfirmDto {
  @PasswordField()
  readonly password: string;

  @UnsetWhenEmpty()
  @IsOptional()
  @AnyCodeField()
  readonly code?: string;
}

/** The second step of the dashboard's sign-in form, which has one field for both kinds of codes. */
export class SignInCodeDto {
  @ApiProperty({ type: String, maxLength: 2000, description: 'What the first step gave.' })
  @IsString()
  @TextLength(1, 2_000)
  readonly mfaToken: string;

  @ApiProperty({ type: String, maxLength: 64, description: 'Six digits of the authenticator, or a backup code.' })
  @AnyCodeField()
  readonly code: string;
}

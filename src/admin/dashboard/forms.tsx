import type { Type } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { assertQuery, type Query } from '../../platform/http/validation/query-string';
import { RequestValidationPipe } from '../../platform/http/validation/request-validation.pipe';
import { AppError } from '../../platform/errors/app-error';
import { Transform, type TransformFnParams } from 'class-transformer';
import { IsOptional, IsString } from 'class-validator';
import { AnyCodeField, PasswordField } from '../../auth/accounts/credential-fields';
import { RunTaskDto } from '../api/reason.dto';
import { ApiProperty } from '@nestjs/swagger';
import { TextLength } from '../../platform/http/validation/fields';
import type { VNode } from 'preact';
import { CardPage, SignedInPage } from './components/page';
import type { Confirmation } from './dashboard-actions.service';

/** The credentials an action requires. */
export interface RequiredCredentials {
  /** True when a code of the second factor is needed besides the password. */
  readonly needsCode: boolean;
}

/** The data common to the sign-in and confirmation forms. */
interface SignInFormProps {
  /** The page to open afterwards. */
  readonly returnPath: string;
  readonly problem?: string;
}

/** Renders the form for email address and password. */
export function SignInPage({ email, returnPath, problem }: SignInFormProps & { email?: string }): VNode {
  return (
    <CardPage title="Sign in">
      <h1>Gigvault</h1>
      <Problem text={problem} />
      <form method="post" action="/admin/sign-in">
        <ReturnPathField path={returnPath} />
        <label>
          Email <input name="email" type="email" autocomplete="username" required autofocus value={email} />
        </label>
        <PasswordInput />
        <button class="main">Sign in</button>
      </form>
      <p class="muted">For admins of this installation. Every visit is logged.</p>
    </CardPage>
  );
}

/** Renders the form of the second sign-in step. */
export function CodePage({ mfaToken, returnPath, problem }: SignInFormProps & { mfaToken: string }): VNode {
  return (
    <CardPage title="Sign in">
      <h1>Gigvault</h1>
      <Problem text={problem} />
      <form method="post" action="/admin/sign-in/code">
        <ReturnPathField path={returnPath} />
        <input type="hidden" name="mfaToken" value={mfaToken} />
        <CodeInput isFirst />
        <button class="main">Sign in</button>
      </form>
      <p class="muted">
        <a href="/admin/sign-in">Start over</a>
      </p>
    </CardPage>
  );
}

/** Renders the form by which admins confirm their identity after half an hour without a page. */
export function ConfirmPage({ returnPath, problem }: SignInFormProps): VNode {
  return (
    <CardPage title="Confirm your identity">
      <h1>Confirm your identity</h1>
      {problem === undefined ? <p>No page was opened for half an hour.</p> : <Problem text={problem} />}
      <form method="post" action="/admin/confirm">
        <ReturnPathField path={returnPath} />
        <PasswordInput isFirst />
        <CodeInput isOptional />
        <button class="main">Continue</button>
      </form>
      <form method="post" action="/admin/sign-out">
        <button class="subtle">Sign out</button>
      </form>
    </CardPage>
  );
}

/** Renders the problem of a form, if any. */
export function Problem({ text }: { text: string | undefined }): VNode | null {
  if (text === undefined) return null;
  return (
    <p class="notice bad" role="alert">
      {text}
    </p>
  );
}

/** Renders the field for the password; `isFirst` focuses it. */
export function PasswordInput({ isFirst = false }: { isFirst?: boolean }): VNode {
  return (
    <label>
      Password <input name="password" type="password" autocomplete="current-password" required autofocus={isFirst} />
    </label>
  );
}

function CodeInput({ isFirst = false, isOptional = false }: { isFirst?: boolean; isOptional?: boolean }): VNode {
  return (
    <label>
      Code of your authenticator, or a backup code{isOptional && ' (with two-factor sign-in)'}{' '}
      <input name="code" autocomplete="one-time-code" required={!isOptional} maxlength={64} autofocus={isFirst} />
    </label>
  );
}

function ReturnPathField({ path }: { path: string }): VNode {
  return <input type="hidden" name="to" value={path} />;
}

interface ActionPageProps {
  readonly confirmation: Confirmation;
  /** The path of the form's POST request. */
  readonly action: string;
  /** The credentials to enter; null when none. */
  readonly credentials: RequiredCredentials | null;
  readonly reason?: string;
  readonly problem?: string;
}

/** Renders the form that asks for the reason of an action and, if required, for credentials. */
export function ActionPage({ confirmation, action, credentials, reason, problem }: ActionPageProps): VNode {
  const { title, text, button, cancelPath, isDestructive } = confirmation;
  return (
    <SignedInPage title={title} section="">
      <div class="narrow card">
        <h1>{title}</h1>
        <p>{text}</p>
        <Problem text={problem} />
        <form method="post" action={action}>
          <label>
            Reason, for the security log{' '}
            <input name="reason" required maxlength={500} autocomplete="off" autofocus value={reason} />
          </label>
          {credentials && <CredentialFields {...credentials} />}
          <p class="actions">
            <button class={isDestructive ? 'destructive' : 'main'}>{button}</button>{' '}
            <a class="button subtle" href={cancelPath}>
              Cancel
            </a>
          </p>
        </form>
      </div>
    </SignedInPage>
  );
}

function CredentialFields({ needsCode }: RequiredCredentials): VNode {
  return (
    <>
      <p class="muted">Confirm your identity. The confirmation is valid for ten minutes.</p>
      <PasswordInput />
      {needsCode && <CodeInput />}
    </>
  );
}

const HOME = '/admin';

/** Base for parsing; only the path of the result is used. */
const BASE = 'http://dashboard.invalid';

const MAX_LENGTH = 2_000;

/** White space, backslashes and control characters, which browsers interpret differently. */
const UNSAFE_CHARACTERS = /[\s\\\p{Cc}]/u;

/** Paths that are no page to return to. */
const NOT_A_PAGE = /^\/admin\/(?:sign-in|sign-out|confirm|events|style\.css|script\.js)(?:\/|$)/;

/** Returns a path of the dashboard; the overview for anything else, such as another site. */
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
  const isDashboard = origin === BASE && (pathname === HOME || pathname.startsWith(`${HOME}/`));
  return isDashboard && !NOT_A_PAGE.test(pathname) ? pathname + search : HOME;
}

/** Adds the requested page to the path of a form. */
export function addReturnPath(form: string, page: string): string {
  return page === HOME ? form : `${form}?to=${encodeURIComponent(page)}`;
}

/** The form field or query parameter with the page to open after a form. */
const RETURN_PATH_FIELD = 'to';

const validation = new RequestValidationPipe();

/**
 * Reads and validates the form of a request by the rules of a class.
 * @throws AppError `validation.failed`
 */
export async function readForm<T>(request: FastifyRequest, rules: Type<T>): Promise<T> {
  const { [RETURN_PATH_FIELD]: _page, ...form } = { ...(request.body as Query | undefined) };
  assertQuery(form);
  return (await validation.transform(form, { type: 'body', metatype: rules })) as T;
}

/** Returns the page to open after a form. */
export function readReturnPath(request: FastifyRequest): string {
  const form = request.body as Query | undefined;
  return parseReturnPath(form?.[RETURN_PATH_FIELD] ?? (request.query as Query)[RETURN_PATH_FIELD]);
}

/**
 * Rejects requests that change something unless they come from our own pages. Browsers send the origin of a form in
 * Sec-Fetch-Site or at least in Origin. A client that sends neither is no browser, so no other site can use its cookie.
 * @throws AppError `auth.forbidden`
 * @see Fetch Metadata Request Headers (W3C)
 */
export function assertSameOrigin({ method, headers }: FastifyRequest, publicUrl: string): void {
  if (method === 'GET' || method === 'HEAD') return;
  const site = headers['sec-fetch-site'];
  if (site === 'same-origin' || (site === undefined && isSameOrigin(headers.origin, headers.host, publicUrl))) return;
  throw new AppError('auth.forbidden', { detail: 'The form was sent from another site. Open it on the dashboard.' });
}

function isSameOrigin(origin: string | undefined, host: string | undefined, publicUrl: string): boolean {
  if (origin === undefined) return true;
  return URL.canParse(origin) && (new URL(origin).host === host || origin === new URL(publicUrl).origin);
}

/** The form of an action: the reason and, if required, the admin's credentials. */
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

/** Treats an empty value as missing: browsers also send empty fields. */
export function UnsetWhenEmpty(): PropertyDecorator {
  return Transform(({ value }: TransformFnParams): unknown => (value === '' ? undefined : value));
}

/** The form for confirming one's identity; the code is required with a second factor. */
export class ConfirmDto {
  @PasswordField()
  readonly password: string;

  @UnsetWhenEmpty()
  @IsOptional()
  @AnyCodeField()
  readonly code?: string;
}

/** The second step of the sign-in form; one field accepts both kinds of codes. */
export class SignInCodeDto {
  @ApiProperty({ type: String, maxLength: 2000, description: 'Token of the first step.' })
  @IsString()
  @TextLength(1, 2_000)
  readonly mfaToken: string;

  @ApiProperty({ type: String, maxLength: 64, description: 'Six digits of the authenticator, or a backup code.' })
  @AnyCodeField()
  readonly code: string;
}

import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { VNode } from 'preact';
import type { AppError } from '../../platform/errors/app-error';
import { asAppError, ProblemFilter } from '../../platform/errors/problem.filter';
import { HealthService, type CheckResult } from '../../platform/health/health.service';
import { addReturnPath, parseReturnPath, readReturnPath, CodePage, ConfirmPage, SignInPage } from './forms';
import { sendPage } from './responses';
import { FactList, Tag, CardPage } from './components/page';

/** Reload interval of the page. */
const RELOAD_SECONDS = 5;

const CHECK_NAMES: Readonly<Record<string, string>> = {
  postgres: 'PostgreSQL',
  redis: 'Redis',
  partitions: 'Partitions',
  queue: 'Queue',
  process: 'This process',
};

/** Checks that depend on another one; when both fail, the title names only the cause. */
const DEPENDENCIES: Readonly<Record<string, string>> = { partitions: 'postgres', queue: 'redis' };

const STATUS_TAGS = { ok: ['good', 'OK'], warning: ['warn', 'Warning'], failed: ['bad', 'Failing'] } as const;

interface UnavailablePageProps {
  readonly checks: Readonly<Record<string, CheckResult>>;
  /** True when a service is unavailable; otherwise the page itself failed. */
  readonly isUnavailable: boolean;
  /** True when the page may reload itself; a form must not be sent again. */
  readonly canReload: boolean;
  /** The requested page. */
  readonly path: string;
  readonly requestId: string;
}

/** Renders the page shown while PostgreSQL or Redis is unavailable; it reloads itself until they answer. */
export function UnavailablePage({ checks, isUnavailable, canReload, path, requestId }: UnavailablePageProps): VNode {
  const title = findTitle(checks, isUnavailable);
  const reloads = canReload && isUnavailable;
  return (
    <CardPage title={title} reloadSeconds={reloads ? RELOAD_SECONDS : undefined}>
      <h1>{title}</h1>
      <p>
        {isUnavailable
          ? 'The dashboard needs PostgreSQL and Redis to show this page.'
          : 'The server could not render this page. The log of the API contains the reason.'}
      </p>
      <FactList
        facts={Object.entries(checks).map(([name, check]) => [getCheckName(name), <CheckState {...check} />] as const)}
      />
      <p>
        {reloads && `This page reloads every ${RELOAD_SECONDS} seconds.`} <a href={path}>Try again</a>
      </p>
      <p class="muted">Request {requestId}</p>
    </CardPage>
  );
}

function findTitle(checks: UnavailablePageProps['checks'], isUnavailable: boolean): string {
  const failed = Object.keys(checks).filter(
    (name) => hasFailed(checks, name) && !hasFailed(checks, DEPENDENCIES[name]),
  );
  if (failed.length > 0) return `${failed.map(getCheckName).join(' and ')} unavailable`;
  return isUnavailable ? 'Temporarily unavailable' : 'This page failed';
}

function hasFailed(checks: UnavailablePageProps['checks'], name: string | undefined): boolean {
  return name !== undefined && checks[name]?.status === 'failed';
}

function getCheckName(check: string): string {
  return CHECK_NAMES[check] ?? check;
}

function CheckState({ status, detail }: CheckResult): VNode {
  const [tone, label] = STATUS_TAGS[status];
  return (
    <>
      <Tag tone={tone} text={label} /> {detail}
    </>
  );
}

interface ProblemPageProps {
  readonly title: string;
  readonly detail: string | undefined;
  readonly requestId: string;
}

/** Renders an error page with a link back. */
export function ProblemPage({ title, detail, requestId }: ProblemPageProps): VNode {
  return (
    <CardPage title={title}>
      <h1>{title}</h1>
      <p>{detail}</p>
      <p class="muted">Request {requestId}</p>
      <p>
        <a href="/admin">Back to the dashboard</a>
      </p>
    </CardPage>
  );
}

/** Errors that need a sign-in instead of a confirmation. */
const SIGN_IN_ERRORS: ReadonlySet<string> = new Set(['auth.session_missing', 'auth.token_invalid', 'auth.forbidden']);

/** Answers errors below /admin: browsers get a page or the sign-in form, programs get problem details. */
@Injectable()
export class ErrorPagesService {
  private readonly problemFilter = new ProblemFilter();

  constructor(private readonly health: HealthService) {}

  send(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const error = asAppError(thrown);
    const wantsPage = request.headers.accept?.includes('text/html') ?? false;
    if (!wantsPage || reply.sent || reply.raw.headersSent) return this.problemFilter.answer(thrown, request, reply);
    if (error.status >= 500) return void this.sendUnavailable(error, request, reply);
    const route = request.routeOptions.url ?? '';
    if (route.startsWith('/admin/sign-in')) return this.sendSignIn(error, request, reply);
    if (route === '/admin/confirm' && request.method === 'POST' && !SIGN_IN_ERRORS.has(error.code)) {
      const form = <ConfirmPage returnPath={readReturnPath(request)} problem={error.detail ?? error.title} />;
      return sendErrorPage(error, reply, form);
    }
    const page = parseReturnPath(request.url);
    if (error.code === 'auth.mfa_enrolment_required') return void reply.redirect('/admin/account', 303);
    if (error.code === 'auth.step_up_required') return void reply.redirect(addReturnPath('/admin/confirm', page), 303);
    if (error.status === 401) return void reply.redirect(addReturnPath('/admin/sign-in', page), 303);
    sendErrorPage(error, reply, <ProblemPage title={error.title} detail={error.detail} requestId={request.id} />);
  }

  /** Uses the health checks only: they answer without PostgreSQL and Redis. */
  private async sendUnavailable(error: AppError, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    this.problemFilter.log(error, request);
    const readiness = await this.health.ready();
    const page = (
      <UnavailablePage
        checks={readiness.checks}
        isUnavailable={error.status === 503}
        canReload={request.method === 'GET'}
        path={parseReturnPath(request.url)}
        requestId={request.id}
      />
    );
    sendErrorPage(error, reply, page);
  }

  /** Sends the form again with the input except secrets; after a wrong code, only the code is asked again. */
  private sendSignIn(error: AppError, request: FastifyRequest, reply: FastifyReply): void {
    const { email = '', mfaToken } = (request.body ?? {}) as Record<string, string>;
    const returnPath = readReturnPath(request);
    const problem = error.detail ?? error.title;
    const isCodeStep = mfaToken !== undefined && error.code !== 'auth.token_invalid' && error.code !== 'auth.forbidden';
    const form = isCodeStep ? (
      <CodePage mfaToken={mfaToken} returnPath={returnPath} problem={problem} />
    ) : (
      <SignInPage email={email} returnPath={returnPath} problem={problem} />
    );
    sendErrorPage(error, reply, form);
  }
}

function sendErrorPage({ status, headers }: AppError, reply: FastifyReply, page: VNode): void {
  sendPage(reply.status(status).headers(headers), page);
}

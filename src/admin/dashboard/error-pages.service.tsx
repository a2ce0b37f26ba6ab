import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { VNode } from 'preact';
import type { AppError } from '../../platform/errors/app-error';
import { asAppError, ProblemFilter } from '../../platform/errors/problem.filter';
import { HealthService } from '../../platform/health/health.service';
import { addReturnPath, parseReturnPath, readReturnPath, CodePage, ConfirmPage, SignInPage } from './forms';
import { ProblemPage, UnavailablePage } from './pages/error-pages';
import { sendPage } from './responses';

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

import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AppError } from '../../platform/errors/app-error';
import { asAppError } from '../../platform/errors/problem';
import { ProblemFilter } from '../../platform/errors/problem.filter';
import { HealthChecks } from '../../platform/health/health-checks';
import { HTML, pageAfter } from './forms';
import { degradedPage } from './pages/degraded-page';
import { problemPage } from './pages/problem-page';
import { codePage, confirmPage, signInPage } from './pages/sign-in-pages';
import { leadingTo, returnPath } from './return-path';

/** Problems that confirming does not solve. */
const SIGNED_OUT: ReadonlySet<string> = new Set(['auth.session_missing', 'auth.token_invalid', 'auth.forbidden']);

/** Answers errors below /admin: people get a page, or are asked to sign in where that helps; programs get the problem. */
@Injectable()
export class ProblemPages {
  private readonly problems = new ProblemFilter();

  constructor(private readonly health: HealthChecks) {}

  answer(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const error = asAppError(thrown);
    const wantsPage = request.headers.accept?.includes('text/html') ?? false;
    if (!wantsPage || reply.sent || reply.raw.headersSent) return this.problems.answer(thrown, request, reply);
    if (error.status >= 500) return void this.sendDegraded(error, request, reply);
    const route = request.routeOptions.url ?? '';
    if (route.startsWith('/admin/sign-in')) return this.sendSignIn(error, request, reply);
    if (route === '/admin/confirm' && request.method === 'POST' && !SIGNED_OUT.has(error.code)) {
      const page = confirmPage({ to: pageAfter(request), problem: error.detail ?? error.title });
      return void reply.status(error.status).headers(error.headers).type(HTML).send(page);
    }
    const page = returnPath(request.url);
    if (error.code === 'auth.step_up_required') return void reply.redirect(leadingTo('/admin/confirm', page), 303);
    if (error.status === 401) return void reply.redirect(leadingTo('/admin/sign-in', page), 303);
    void reply
      .status(error.status)
      .headers(error.headers)
      .type(HTML)
      .send(problemPage(error.title, error.detail, request.id));
  }

  /** What is wrong is known from the health checks alone: they need neither PostgreSQL nor Redis to answer. */
  private async sendDegraded(error: AppError, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    this.problems.log(error, request);
    const readiness = await this.health.ready();
    const page = degradedPage({
      checks: readiness.checks,
      isUnavailable: error.status === 503,
      canReload: request.method === 'GET',
      path: returnPath(request.url),
      requestId: request.id,
    });
    void reply.status(error.status).headers(error.headers).type(HTML).send(page);
  }

  /** The same form again with what was typed, secrets aside; after a wrong code the password need not be given again. */
  private sendSignIn(error: AppError, request: FastifyRequest, reply: FastifyReply): void {
    const { email = '', mfaToken } = (request.body ?? {}) as Record<string, string>;
    const to = pageAfter(request);
    const problem = error.detail ?? error.title;
    const isCodeStep = mfaToken !== undefined && error.code !== 'auth.token_invalid' && error.code !== 'auth.forbidden';
    const form = isCodeStep ? codePage({ mfaToken, to, problem }) : signInPage({ email, to, problem });
    void reply.status(error.status).headers(error.headers).type(HTML).send(form);
  }
}

import { Readable } from 'node:stream';
import { Inject, Injectable, type OnModuleInit, type Type } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { LoginDto } from '../../auth/dto/login.dto';
import { Config } from '../../platform/config/config';
import { currentContext } from '../../platform/context/request-context';
import { AppError } from '../../platform/errors/app-error';
import { ProblemFilter } from '../../platform/errors/problem.filter';
import { asAppError } from '../../platform/errors/problem';
import { ParseIdPipe } from '../../platform/http/parse-id.pipe';
import { parseQuery, assertQuery, type Query } from '../../platform/http/query-string';
import { RequestValidationPipe } from '../../platform/http/request-validation.pipe';
import { TaskQueue } from '../../platform/queues/task-queue';
import { ConfirmDto } from '../dto/confirm.dto';
import { RunTaskDto } from '../dto/run-task.dto';
import { SignInCodeDto } from '../dto/sign-in-code.dto';
import { OverviewService } from '../overview.service';
import { DashboardActs } from './acts';
import { addBoard } from './board';
import { DashboardEvents } from './events';
import { html } from './html';
import { DashboardSessions } from './dashboard-sessions';
import { signedInPage } from './layout';
import { LiveViews } from './live-views';
import { actPage } from './pages/act-page';
import { overviewPage } from './pages/overview-page';
import { runPage } from './pages/run-page';
import { codePage, confirmPage, problemPage, signInPage } from './pages/sign-in-pages';
import { taskPage } from './pages/task-page';
import { PANELS, type Panel } from './panel';
import { assertSameOrigin } from './same-origin';
import { SCRIPT } from './script';
import { STYLE } from './style';

const PREFIX = '/admin';
const HTML = 'text/html; charset=utf-8';

/** Largest form; what its longest field may hold takes a third of it. */
const FORM_BYTES = 16_384;

/** Routes without a sign-in, as they are registered. */
const OPEN: ReadonlySet<string> = new Set([`${PREFIX}/sign-in`, `${PREFIX}/sign-in/code`, `${PREFIX}/style.css`]);

/** Routes for an admin whose second factor was shown too long ago. */
const UNCONFIRMED: ReadonlySet<string> = new Set([`${PREFIX}/confirm`, `${PREFIX}/sign-out`]);

/** Problems that no second factor mends. */
const SIGNED_OUT: ReadonlySet<string> = new Set(['auth.session_missing', 'auth.token_invalid', 'auth.forbidden']);

/** Our own pages have one script file, which asks for the events; nothing inline, nothing from elsewhere. */
const PAGE_POLICY =
  "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

type WithId = { Params: { id: string } };

/**
 * The admin's pages at /admin, and bull-board at /admin/queues. All of it is one Fastify plugin whose hook asks for the
 * sign-in: a hook of a plugin belongs to its routes and not to a spelling of their path, so no encoding of an address
 * goes past it. (Nest's guards never run for bull-board's routes; its own `middleware` option covers only its first.)
 */
@Injectable()
export class Dashboard implements OnModuleInit {
  private readonly problems = new ProblemFilter();
  private readonly validation = new RequestValidationPipe();
  private readonly ids = new ParseIdPipe();

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly config: Config,
    private readonly sessions: DashboardSessions,
    private readonly overview: OverviewService,
    private readonly views: LiveViews,
    private readonly acts: DashboardActs,
    private readonly events: DashboardEvents,
    @Inject(PANELS) private readonly panels: readonly Panel[],
    private readonly queue: TaskQueue,
  ) {}

  onModuleInit(): void {
    const fastify = this.host.httpAdapter.getInstance<FastifyInstance>();
    void fastify.register(
      (scope, _options, done) => {
        this.protect(scope);
        this.addSignIn(scope);
        this.addPages(scope);
        this.addPanels(scope);
        this.addEvents(scope);
        this.addActs(scope);
        addBoard(scope, `${PREFIX}/queues`, this.queue);
        done();
      },
      { prefix: PREFIX },
    );
  }

  private protect(scope: FastifyInstance): void {
    scope.addHook('onRoute', (route) => void (route.bodyLimit = FORM_BYTES));
    scope.removeContentTypeParser(['application/json', 'application/merge-patch+json']);
    scope.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
      done(null, parseQuery(body as string));
    });
    scope.setErrorHandler((error, request, reply) => this.answerProblem(error, request, reply));
    scope.addHook('onRequest', async (request, reply) => {
      void reply.header('content-security-policy', PAGE_POLICY).header('referrer-policy', 'same-origin');
      try {
        await this.admit(request);
      } catch (error) {
        // Not thrown: bull-board's part has an error handler of its own, which would answer 500 with a stack.
        this.answerProblem(error, request, reply);
        return reply;
      }
    });
  }

  private async admit(request: FastifyRequest): Promise<void> {
    assertSameOrigin(request, this.config.http.publicUrl);
    if (OPEN.has(request.routeOptions.url ?? '')) return;
    const principal = await this.sessions.authenticate(request);
    const context = currentContext();
    if (!context) throw new Error('the dashboard needs the context of its request');
    context.principal = principal;
    if (!UNCONFIRMED.has(request.routeOptions.url ?? '')) await this.sessions.assertFresh(principal);
  }

  private addSignIn(scope: FastifyInstance): void {
    scope.get('/style.css', (_request, reply) => reply.type('text/css; charset=utf-8').send(STYLE));
    scope.get('/sign-in', (_request, reply) => reply.type(HTML).send(signInPage()));
    scope.post('/sign-in', async (request, reply) => {
      const { email, password } = await this.formOf(request, LoginDto);
      const step = await this.sessions.signIn(email, password);
      if ('mfaToken' in step) return reply.type(HTML).send(codePage(step));
      return reply.header('set-cookie', step.cookie).redirect(PREFIX, 303);
    });
    scope.post('/sign-in/code', async (request, reply) => {
      const { mfaToken, code } = await this.formOf(request, SignInCodeDto);
      return reply.header('set-cookie', await this.sessions.signInWithCode(mfaToken, code)).redirect(PREFIX, 303);
    });
    scope.get('/confirm', (_request, reply) => reply.type(HTML).send(confirmPage()));
    scope.post('/confirm', async (request, reply) => {
      const { password, code } = await this.formOf(request, ConfirmDto);
      await this.sessions.confirm(password, code);
      return reply.redirect(PREFIX, 303);
    });
    scope.post('/sign-out', async (_request, reply) =>
      reply.header('set-cookie', await this.sessions.signOut()).redirect(`${PREFIX}/sign-in`, 303),
    );
  }

  private addPages(scope: FastifyInstance): void {
    scope.get('/script.js', (_request, reply) => reply.type('text/javascript; charset=utf-8').send(SCRIPT));
    scope.get('/', async (request, reply) =>
      reply.type(HTML).send(overviewPage(await this.overview.get(), this.noticeOf(request))),
    );
    scope.get<WithId>('/tasks/:id', async (request, reply) =>
      reply.type(HTML).send(taskPage(await this.views.task(request.params.id), this.noticeOf(request))),
    );
    scope.get<WithId>('/runs/:id', async (request, reply) => {
      const id = this.ids.transform(request.params.id, { type: 'param', data: 'id' });
      return reply.type(HTML).send(runPage(await this.views.run(id), this.noticeOf(request)));
    });
  }

  private addPanels(scope: FastifyInstance): void {
    for (const panel of this.panels) {
      scope.get<{ Params: { id?: string } }>(panel.path, async (request, reply) => {
        const { id = '' } = request.params;
        const body = await panel.render({ query: request.query as Query, id });
        const { title, section, live } = panel;
        const notice = this.noticeOf(request);
        return reply.type(HTML).send(signedInPage({ title, section, notice, live, body: html`<h1>${title} ${id}</h1>${body}` }));
      });
    }
  }

  private addEvents(scope: FastifyInstance): void {
    scope.get('/events', { exposeHeadRoute: false }, async (request, reply) => {
      const { view } = request.query as Query;
      const events = await this.events.watch(typeof view === 'string' ? view : 'overview', request, reply);
      // Proxies gather what they pass on unless told not to; a line kept open behind the end would hold up a stopping server.
      void reply.headers({ 'x-accel-buffering': 'no', connection: 'close' });
      return reply.type('text/event-stream; charset=utf-8').send(Readable.from(events, { objectMode: false }));
    });
  }

  /** Each act is asked for on its path, and done there. */
  private addActs(scope: FastifyInstance): void {
    for (const [name, act] of Object.entries(this.acts.all)) {
      scope.get<WithId>(act.path, (request, reply) =>
        reply.type(HTML).send(actPage(act.ask(request.params.id), request.url.split('?', 1)[0] ?? '')),
      );
      scope.post<WithId>(act.path, async (request, reply) => {
        const { reason } = await this.formOf(request, RunTaskDto);
        return reply.redirect(`${await act.do(request.params.id, reason)}?done=${name}`, 303);
      });
    }
  }

  /** What to tell of the act that led to this page. */
  private noticeOf(request: FastifyRequest): string | undefined {
    const { done } = request.query as Query;
    const all = this.acts.all;
    return typeof done === 'string' && Object.hasOwn(all, done) ? all[done]?.notice : undefined;
  }

  private async formOf<T>(request: FastifyRequest, rules: Type<T>): Promise<T> {
    const form = { ...(request.body as Query | undefined) };
    assertQuery(form);
    return (await this.validation.transform(form, { type: 'body', metatype: rules })) as T;
  }

  /** A person gets a page, and is asked to sign in where that helps; a program gets the problem. */
  private answerProblem(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const error = asAppError(thrown);
    const wantsPage = request.headers.accept?.includes('text/html') ?? false;
    if (!wantsPage || error.status >= 500) return this.problems.answer(thrown, request, reply);
    if (OPEN.has(request.routeOptions.url ?? '')) return void this.sendSignIn(error, request, reply);
    if (request.routeOptions.url === `${PREFIX}/confirm` && request.method === 'POST' && !SIGNED_OUT.has(error.code)) {
      return void reply.status(error.status).headers(error.headers).type(HTML).send(confirmPage(error.detail ?? error.title));
    }
    if (error.code === 'auth.step_up_required') return void reply.redirect(`${PREFIX}/confirm`, 303);
    if (error.status === 401) return void reply.redirect(`${PREFIX}/sign-in`, 303);
    void reply.status(error.status).type(HTML).send(problemPage(error.title, error.detail, request.id));
  }

  /** The same form again with what was typed, secrets aside; a wrong code does not begin the sign-in anew. */
  private sendSignIn(error: AppError, request: FastifyRequest, reply: FastifyReply): void {
    const { email = '', mfaToken } = (request.body ?? {}) as Record<string, string>;
    const problem = error.detail ?? error.title;
    const isCodeStep = mfaToken !== undefined && error.code !== 'auth.token_invalid' && error.code !== 'auth.forbidden';
    const form = isCodeStep ? codePage({ mfaToken, problem }) : signInPage({ email, problem });
    void reply.status(error.status).headers(error.headers).type(HTML).send(form);
  }
}

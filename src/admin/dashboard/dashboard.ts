import { Readable } from 'node:stream';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Config } from '../../platform/config/config';
import { currentContext } from '../../platform/context/request-context';
import { AppError } from '../../platform/errors/app-error';
import { ParseIdPipe } from '../../platform/http/parse-id.pipe';
import { parseQuery, type Query } from '../../platform/http/query-string';
import { TaskQueue } from '../../platform/queues/task-queue';
import { OverviewService } from '../overview.service';
import { AccountRoutes } from './account-routes';
import { ActRoutes } from './act-routes';
import { DashboardActs } from './acts';
import { addBoard } from './board';
import { DashboardEvents } from './events';
import { HTML } from './forms';
import { html } from './html';
import { DashboardSessions } from './dashboard-sessions';
import { signedInPage } from './layout';
import { LiveViews } from './live-views';
import { overviewPage } from './pages/overview-page';
import { runPage } from './pages/run-page';
import { taskPage } from './pages/task-page';
import { PANELS, type Panel } from './panel';
import { ProblemPages } from './problem-pages';
import { assertSameOrigin } from './same-origin';
import { SCRIPT } from './script';
import { SignInRoutes } from './sign-in-routes';

const PREFIX = '/admin';

/** Largest form; what its longest field may hold takes a third of it. */
const FORM_BYTES = 16_384;

/** Routes without a sign-in, as they are registered. */
const OPEN: ReadonlySet<string> = new Set([`${PREFIX}/sign-in`, `${PREFIX}/sign-in/code`, `${PREFIX}/style.css`]);

/** Routes for an admin who has not opened a page for long. */
const UNCONFIRMED: ReadonlySet<string> = new Set([`${PREFIX}/confirm`, `${PREFIX}/sign-out`]);

/** Our own pages have one script file, which asks for the events; nothing inline, nothing from elsewhere. */
const PAGE_POLICY =
  "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const OWN_HEADERS = { 'content-security-policy': PAGE_POLICY, 'referrer-policy': 'same-origin' };

type WithId = { Params: { id: string } };

/**
 * The admin's pages at /admin, and bull-board at /admin/queues. All of it is one Fastify plugin whose hook asks for the
 * sign-in: a hook of a plugin belongs to its routes and not to a spelling of their path, so no encoding of an address
 * goes past it. (Nest's guards never run for bull-board's routes; its own `middleware` option covers only its first.)
 * Reading needs a sign-in and a page opened within the last half hour; acts may need a fresh proof, see ActRoutes.
 */
@Injectable()
export class Dashboard implements OnModuleInit {
  private readonly ids = new ParseIdPipe();

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly config: Config,
    private readonly sessions: DashboardSessions,
    private readonly problems: ProblemPages,
    private readonly signIn: SignInRoutes,
    private readonly account: AccountRoutes,
    private readonly actRoutes: ActRoutes,
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
        this.signIn.add(scope);
        this.addPages(scope);
        this.addPanels(scope);
        this.addEvents(scope);
        this.actRoutes.add(scope);
        this.account.add(scope);
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
    // Makes unknown addresses below /admin a part of this plugin; a hook of the server has refused them by then.
    scope.setNotFoundHandler((request, reply) => this.answerProblem(new AppError('route.not_found'), request, reply));
    scope.addHook('onRequest', async (request, reply) => {
      void reply.headers(OWN_HEADERS);
      try {
        await this.admit(request, reply);
      } catch (error) {
        // Not thrown: bull-board's part has an error handler of its own, which would answer 500 with a stack.
        this.answerProblem(error, request, reply);
        return reply;
      }
    });
  }

  private async admit(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    assertSameOrigin(request, this.config.http.publicUrl);
    if (OPEN.has(request.routeOptions.url ?? '')) return;
    const principal = await this.sessions.authenticate(request);
    const context = currentContext();
    if (!context) throw new Error('the dashboard needs the context of its request');
    context.principal = principal;
    if (UNCONFIRMED.has(request.routeOptions.url ?? '')) return;
    this.sessions.assertActive(request);
    // A page that a person opens counts, what scripts ask for does not.
    const cookie = request.headers.accept?.includes('text/html') ? this.sessions.renewal(request) : undefined;
    if (cookie !== undefined) void reply.header('set-cookie', cookie);
  }

  /** What fails before our hook has run has our headers too. */
  private answerProblem(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
    this.problems.answer(thrown, request, reply.headers(OWN_HEADERS));
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
        return reply.type(HTML).send(
          signedInPage({
            title,
            section,
            notice,
            live,
            body: html`<h1>${title} ${id}</h1>
              ${body}`,
          }),
        );
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

  /** Returns what to say of the act that led to this page. */
  private noticeOf(request: FastifyRequest): string | undefined {
    const { done } = request.query as Query;
    const all = this.acts.all;
    return typeof done === 'string' && Object.hasOwn(all, done) ? all[done]?.notice : undefined;
  }
}

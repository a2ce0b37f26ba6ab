import { Readable } from 'node:stream';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { Config } from '../../platform/config/config';
import { currentContext } from '../../platform/context/request-context';
import { AppError } from '../../platform/errors/app-error';
import { ParseIdPipe } from '../../platform/http/validation/request-validation.pipe';
import { parseQuery, type Query } from '../../platform/http/validation/query-string';
import { TaskQueue } from '../../platform/queues/task-queue';
import { OverviewService } from './overview/overview.service';
import { AccountRoutes } from './account.routes';
import { ActionRoutes } from './action.routes';
import { DashboardActionsService } from './dashboard-actions.service';
import { registerBullBoard } from './bull-board';
import { EventStreamsService } from './event-streams.service';
import { LivePartsService } from './live-parts.service';
import { assertSameOrigin } from './forms';
import { DashboardSessionsService } from './dashboard-sessions.service';
import { type Panel, PANELS, SignedInPage } from './components/page';
import { OverviewPage } from './pages/overview-page';
import { RunPage, TaskPage } from './pages/task-page';
import { ErrorPagesService } from './error-pages.service';
import { sendAsset, sendPage } from './responses';
import { SignInRoutes } from './sign-in.routes';

const DASHBOARD_PATH = '/admin';

/** Maximum size of a form; its longest field uses a third of it. */
const MAX_FORM_BYTES = 16_384;

/** Registered routes that need no sign-in. */
const PUBLIC_ROUTES: ReadonlySet<string> = new Set([
  `${DASHBOARD_PATH}/sign-in`,
  `${DASHBOARD_PATH}/sign-in/code`,
  `${DASHBOARD_PATH}/style.css`,
]);

/** Routes that admins can use after half an hour without a page. */
const ROUTES_FOR_IDLE_ADMINS: ReadonlySet<string> = new Set([
  `${DASHBOARD_PATH}/confirm`,
  `${DASHBOARD_PATH}/sign-out`,
]);

/** Routes of admins who must set up a second factor first; in production they get no others. */
const ROUTES_BEFORE_ENROLMENT: ReadonlySet<string> = new Set([
  `${DASHBOARD_PATH}/account`,
  `${DASHBOARD_PATH}/account/two-factor`,
  `${DASHBOARD_PATH}/account/two-factor/confirm`,
  `${DASHBOARD_PATH}/account/sessions/end-others`,
  `${DASHBOARD_PATH}/script.js`,
]);

/** Allows one script file, which connects to the events. Nothing inline, nothing from other sites. */
const PAGE_POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const PAGE_HEADERS = { 'content-security-policy': PAGE_POLICY, 'referrer-policy': 'same-origin' };

type IdParam = { Params: { id: string } };

/**
 * Routes of the dashboard at /admin, with bull-board at /admin/queues. They are one Fastify plugin whose hook requires
 * the sign-in. A plugin's hook is bound to its routes, not to the spelling of their paths, so no encoding of a URL
 * bypasses it. (Nest's guards do not run for bull-board's routes; its own `middleware` option covers only the first.)
 * Reading needs a sign-in and a page opened within the last half hour; actions may need a step-up, see ActionRoutes.
 */
@Injectable()
export class DashboardRoutes implements OnModuleInit {
  private readonly ids = new ParseIdPipe();

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly config: Config,
    private readonly sessions: DashboardSessionsService,
    private readonly errorPages: ErrorPagesService,
    private readonly signInRoutes: SignInRoutes,
    private readonly accountRoutes: AccountRoutes,
    private readonly actionRoutes: ActionRoutes,
    private readonly overview: OverviewService,
    private readonly liveParts: LivePartsService,
    private readonly actions: DashboardActionsService,
    private readonly eventStreams: EventStreamsService,
    @Inject(PANELS) private readonly panels: readonly Panel[],
    private readonly queue: TaskQueue,
  ) {}

  onModuleInit(): void {
    const fastify = this.host.httpAdapter.getInstance<FastifyInstance>();
    const dashboard: FastifyPluginCallback = (scope, _options, done) => {
      this.protect(scope);
      this.signInRoutes.register(scope);
      this.registerPages(scope);
      this.registerPanels(scope);
      this.registerEvents(scope);
      this.actionRoutes.register(scope);
      this.accountRoutes.register(scope);
      registerBullBoard(scope, `${DASHBOARD_PATH}/queues`, this.queue);
      done();
    };
    // Named, because Fastify searches all loaded modules for the name of a plugin without one.
    void fastify.register(fastifyPlugin(dashboard, { name: 'dashboard', encapsulate: true }), {
      prefix: DASHBOARD_PATH,
    });
  }

  private protect(scope: FastifyInstance): void {
    scope.addHook('onRoute', (route) => void (route.bodyLimit = MAX_FORM_BYTES));
    scope.removeContentTypeParser(['application/json', 'application/merge-patch+json']);
    scope.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
      done(null, parseQuery(body as string));
    });
    scope.setErrorHandler((error, request, reply) => this.sendError(error, request, reply));
    // Lets this plugin answer unknown paths below /admin, after a hook of the server has refused them.
    scope.setNotFoundHandler((request, reply) => this.sendError(new AppError('route.not_found'), request, reply));
    scope.addHook('onRequest', async (request, reply) => {
      void reply.headers(PAGE_HEADERS);
      try {
        await this.authorize(request, reply);
      } catch (error) {
        // Not thrown: bull-board's own error handler would answer 500 with a stack trace.
        this.sendError(error, request, reply);
        return reply;
      }
    });
  }

  private async authorize(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    assertSameOrigin(request, this.config.http.publicUrl);
    const url = request.routeOptions.url ?? '';
    if (PUBLIC_ROUTES.has(url)) return;
    const isOpenBeforeEnrolment = ROUTES_BEFORE_ENROLMENT.has(url) || ROUTES_FOR_IDLE_ADMINS.has(url);
    const principal = await (isOpenBeforeEnrolment
      ? this.sessions.identify(request)
      : this.sessions.authenticate(request));
    const context = currentContext();
    if (!context) throw new Error('the dashboard needs the context of its request');
    context.principal = principal;
    if (ROUTES_FOR_IDLE_ADMINS.has(url)) return;
    this.sessions.assertActive(request);
    // Only pages that a person opens count, not requests of scripts.
    const cookie = request.headers.accept?.includes('text/html') ? this.sessions.renewCookie(request) : undefined;
    if (cookie !== undefined) void reply.header('set-cookie', cookie);
  }

  /** Sends an error page, with the page headers even when the hook has not run. */
  private sendError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
    this.errorPages.send(thrown, request, reply.headers(PAGE_HEADERS));
  }

  private registerPages(scope: FastifyInstance): void {
    scope.get('/script.js', (_request, reply) => sendAsset(reply, 'dashboard.js'));
    scope.get('/', async (request, reply) =>
      sendPage(reply, <OverviewPage overview={await this.overview.read()} notice={this.findNotice(request)} />),
    );
    scope.get<IdParam>('/tasks/:id', async (request, reply) => {
      const view = await this.liveParts.readTask(request.params.id);
      return sendPage(reply, <TaskPage view={view} notice={this.findNotice(request)} />);
    });
    scope.get<IdParam>('/runs/:id', async (request, reply) => {
      const id = this.ids.transform(request.params.id, { type: 'param', data: 'id' });
      const view = await this.liveParts.readRun(id);
      return sendPage(reply, <RunPage view={view} notice={this.findNotice(request)} />);
    });
  }

  private registerPanels(scope: FastifyInstance): void {
    for (const panel of this.panels.filter(({ isAvailable = true }) => isAvailable)) {
      scope.get<{ Params: { id?: string } }>(panel.path, async (request, reply) => {
        const { id = '' } = request.params;
        const body = await panel.render({ query: request.query as Query, id });
        const { title, section, live } = panel;
        return sendPage(
          reply,
          <SignedInPage title={title} section={section} notice={this.findNotice(request)} live={live}>
            <h1>
              {title} {id}
            </h1>
            {body}
          </SignedInPage>,
        );
      });
    }
  }

  private registerEvents(scope: FastifyInstance): void {
    scope.get('/events', { exposeHeadRoute: false }, async (request, reply) => {
      const { view } = request.query as Query;
      const events = await this.eventStreams.openStream(typeof view === 'string' ? view : 'overview', request, reply);
      // Disables buffering in proxies; `close` keeps an idle connection from delaying a server that stops.
      void reply.headers({ 'x-accel-buffering': 'no', connection: 'close' });
      return reply.type('text/event-stream; charset=utf-8').send(Readable.from(events, { objectMode: false }));
    });
  }

  /** Returns the notice of the action that redirected to this page. */
  private findNotice(request: FastifyRequest): string | undefined {
    const { done } = request.query as Query;
    const all = this.actions.all;
    return typeof done === 'string' && Object.hasOwn(all, done) ? all[done]?.notice : undefined;
  }
}

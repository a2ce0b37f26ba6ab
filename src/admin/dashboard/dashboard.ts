import { createBullBoard } from '@bull-board/api';
import { BullAdapter } from '@bull-board/api/bullAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import { Injectable, type OnModuleInit, type Type } from '@nestjs/common';
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
import { TaskQueue, type TaskEntry } from '../../platform/queues/task-queue';
import { Schedule } from '../../platform/scheduler/schedule';
import { ConfirmDto } from '../dto/confirm.dto';
import { RunTaskDto } from '../dto/run-task.dto';
import { SignInCodeDto } from '../dto/sign-in-code.dto';
import { AccessAlertsService } from '../access-alerts.service';
import { OverviewService } from '../overview.service';
import { TasksService } from '../tasks.service';
import { DashboardSessions } from './dashboard-sessions';
import { codePage, confirmPage, overviewPage, problemPage, signInPage } from './pages';
import { assertSameOrigin } from './same-origin';
import { STYLE } from './style';

const PREFIX = '/admin';
const HTML = 'text/html; charset=utf-8';

/** Routes without a sign-in, as they are registered. */
const OPEN: ReadonlySet<string> = new Set([`${PREFIX}/sign-in`, `${PREFIX}/sign-in/code`, `${PREFIX}/style.css`]);

/** Routes for an admin whose second factor was shown too long ago. */
const UNCONFIRMED: ReadonlySet<string> = new Set([`${PREFIX}/confirm`, `${PREFIX}/sign-out`]);

/** Problems that no second factor mends. */
const SIGNED_OUT: ReadonlySet<string> = new Set(['auth.session_missing', 'auth.token_invalid', 'auth.forbidden']);

/** Our own pages need no script at all. */
const PAGE_POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** bull-board's page has scripts of its own, an inline style and a <base>; its fonts from elsewhere are not loaded. */
const BOARD_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'";

/** What an act answered, by its name in the address. */
const NOTICES: Readonly<Record<string, string>> = {
  run: 'A run was asked for.',
  retry: 'A new run was asked for.',
  pause: 'The schedule rests.',
  resume: 'The schedule goes on.',
  dismiss: 'The alert is dismissed.',
};

/**
 * The admin's page at /admin, and bull-board at /admin/queues. All of it is one Fastify plugin whose hook asks for the
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
    private readonly tasks: TasksService,
    private readonly alerts: AccessAlertsService,
    private readonly schedule: Schedule,
    private readonly queue: TaskQueue,
  ) {}

  onModuleInit(): void {
    const fastify = this.host.httpAdapter.getInstance<FastifyInstance>();
    void fastify.register(
      (scope, _options, done) => {
        this.protect(scope);
        this.addPages(scope);
        this.addActs(scope);
        this.addBoard(scope);
        done();
      },
      { prefix: PREFIX },
    );
  }

  private protect(scope: FastifyInstance): void {
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

  private addPages(scope: FastifyInstance): void {
    scope.get('/', async (request, reply) => {
      const { done } = request.query as Query;
      const notice = typeof done === 'string' && Object.hasOwn(NOTICES, done) ? NOTICES[done] : undefined;
      return reply.type(HTML).send(overviewPage(await this.overview.get(), notice));
    });
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

  private addActs(scope: FastifyInstance): void {
    const act = (name: string, path: string, work: (id: string, reason: string) => Promise<unknown>) =>
      scope.post<{ Params: { id: string } }>(path, async (request, reply) => {
        const { reason } = await this.formOf(request, RunTaskDto);
        await work(request.params.id, reason);
        return reply.redirect(`${PREFIX}?done=${name}`, 303);
      });
    act('run', '/tasks/:id/run', (id, reason) => this.tasks.run(id, reason));
    act('pause', '/tasks/:id/pause', (id, reason) => this.tasks.pause(id, reason));
    act('resume', '/tasks/:id/resume', (id, reason) => this.tasks.resume(id, reason));
    const idOf = (id: string): number => this.ids.transform(id, { type: 'param', data: 'id' });
    act('retry', '/runs/:id/retry', (id, reason) => this.tasks.retry(idOf(id), reason));
    act('dismiss', '/alerts/:id/dismiss', (id, reason) => this.alerts.dismiss(idOf(id), reason));
  }

  /** Read only: what is done to a queue behind the schedule's back would leave no trace in task_runs or the security log. */
  private addBoard(scope: FastifyInstance): void {
    const adapter = new BullAdapter(this.queue.bull, { readOnlyMode: true, description: `${this.schedule.tasks.length} tasks` });
    adapter.setFormatter('data', idsOf);
    adapter.setFormatter('returnValue', () => null);
    const server = new FastifyAdapter();
    server.setBasePath(`${PREFIX}/queues`);
    createBullBoard({
      queues: [adapter],
      serverAdapter: server,
      options: { uiConfig: { boardTitle: 'Gigvault', hideRedisDetails: true, hideDocsLink: true, miscLinks: [{ text: 'Dashboard', url: PREFIX }] } },
    });
    server.setErrorHandler(() => ({ status: 500, body: { error: 'The queue could not be read' } }));
    void scope.register(
      (board, _options, done) => {
        board.addHook('onRequest', async (_request, reply) => void reply.header('content-security-policy', BOARD_POLICY));
        void board.register(server.registerPlugin());
        done();
      },
      { prefix: '/queues' },
    );
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

/** Entries hold ids only; should one ever hold more, the board does not show it. */
function idsOf(data: TaskEntry | undefined): TaskEntry {
  return data?.runId === undefined ? {} : { runId: data.runId };
}

import { Injectable } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { LoginDto } from '../../auth/dto/login.dto';
import { ConfirmDto } from '../dto/confirm.dto';
import { SignInCodeDto } from '../dto/sign-in-code.dto';
import { DashboardSessions } from './dashboard-sessions';
import { formOf, HTML, pageAfter } from './forms';
import { codePage, confirmPage, signInPage } from './pages/sign-in-pages';
import { STYLE } from './style';

/** Signing in, confirming and signing out; each leads on to the page that was asked for. */
@Injectable()
export class SignInRoutes {
  constructor(private readonly sessions: DashboardSessions) {}

  add(scope: FastifyInstance): void {
    scope.get('/style.css', (_request, reply) => reply.type('text/css; charset=utf-8').send(STYLE));
    scope.get('/sign-in', (request, reply) => reply.type(HTML).send(signInPage({ to: pageAfter(request) })));
    scope.post('/sign-in', async (request, reply) => {
      const { email, password } = await formOf(request, LoginDto);
      const to = pageAfter(request);
      const step = await this.sessions.signIn(email, password);
      if ('mfaToken' in step) return reply.type(HTML).send(codePage({ ...step, to }));
      return reply.header('set-cookie', step.cookie).redirect(to, 303);
    });
    scope.post('/sign-in/code', async (request, reply) => {
      const { mfaToken, code } = await formOf(request, SignInCodeDto);
      return reply
        .header('set-cookie', await this.sessions.signInWithCode(mfaToken, code))
        .redirect(pageAfter(request), 303);
    });
    scope.get('/confirm', (request, reply) => reply.type(HTML).send(confirmPage({ to: pageAfter(request) })));
    scope.post('/confirm', async (request, reply) => {
      const { password, code } = await formOf(request, ConfirmDto);
      await this.sessions.confirm(password, code);
      return reply.header('set-cookie', this.sessions.renewal(request, true)).redirect(pageAfter(request), 303);
    });
    scope.post('/sign-out', async (_request, reply) =>
      reply.header('set-cookie', await this.sessions.signOut()).redirect('/admin/sign-in', 303),
    );
  }
}

import { Injectable } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { LoginDto } from '../../auth/auth.dto';
import { ConfirmDto, readForm, readReturnPath, SignInCodeDto, CodePage, ConfirmPage, SignInPage } from './forms';
import { DashboardSessionsService } from './dashboard-sessions.service';
import { sendAsset, sendPage } from './responses';

/** Routes for signing in, confirming and signing out; sign-in and confirmation lead to the requested page. */
@Injectable()
export class SignInRoutes {
  constructor(private readonly sessions: DashboardSessionsService) {}

  register(scope: FastifyInstance): void {
    scope.get('/style.css', (_request, reply) => sendAsset(reply, 'dashboard.css'));
    scope.get('/sign-in', (request, reply) => sendPage(reply, <SignInPage returnPath={readReturnPath(request)} />));
    scope.post('/sign-in', async (request, reply) => {
      const { email, password } = await readForm(request, LoginDto);
      const returnPath = readReturnPath(request);
      const step = await this.sessions.signIn(email, password);
      if ('mfaToken' in step) return sendPage(reply, <CodePage {...step} returnPath={returnPath} />);
      return reply.header('set-cookie', step.cookie).redirect(returnPath, 303);
    });
    scope.post('/sign-in/code', async (request, reply) => {
      const { mfaToken, code } = await readForm(request, SignInCodeDto);
      return reply
        .header('set-cookie', await this.sessions.signInWithCode(mfaToken, code))
        .redirect(readReturnPath(request), 303);
    });
    scope.get('/confirm', (request, reply) => sendPage(reply, <ConfirmPage returnPath={readReturnPath(request)} />));
    scope.post('/confirm', async (request, reply) => {
      const { password, code } = await readForm(request, ConfirmDto);
      await this.sessions.confirm(request, password, code);
      return reply
        .header('set-cookie', this.sessions.renewCookie(request, true))
        .redirect(readReturnPath(request), 303);
    });
    scope.post('/sign-out', async (_request, reply) =>
      reply.header('set-cookie', await this.sessions.signOut()).redirect('/admin/sign-in', 303),
    );
  }
}

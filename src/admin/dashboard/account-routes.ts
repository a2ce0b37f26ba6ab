import { Injectable } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { Accounts } from '../../auth/accounts.service';
import { ConfirmTotpDto, EnrolTotpDto } from '../../auth/mfa/dto/mfa.dto';
import { MfaService } from '../../auth/mfa/mfa.service';
import { OwnPassword } from '../../auth/own-password.service';
import { OwnSessions } from '../../auth/own-sessions.service';
import { currentPrincipal } from '../../auth/principal';
import { AppError } from '../../platform/errors/app-error';
import { formOf, HTML } from './forms';
import { accountPage, backupCodesPage, enrolPage, type ShownAccount } from './pages/account-page';

/** The QR code is an image within the page. */
const WITH_IMAGES =
  "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** The admin's own account: who they are, their second factor, their sessions. */
@Injectable()
export class AccountRoutes {
  constructor(
    private readonly accounts: Accounts,
    private readonly mfa: MfaService,
    private readonly passwords: OwnPassword,
    private readonly ownSessions: OwnSessions,
  ) {}

  add(scope: FastifyInstance): void {
    scope.get('/account', async (_request, reply) => reply.type(HTML).send(accountPage(await this.account())));
    scope.post('/account/two-factor', async (request, reply) => {
      const { password } = await formOf(request, EnrolTotpDto);
      const made = await withProblem(this.mfa.enrol(password));
      if ('problem' in made) {
        return reply
          .status(made.status)
          .headers(made.headers)
          .type(HTML)
          .send(accountPage(await this.account(), made.problem));
      }
      return reply.header('content-security-policy', WITH_IMAGES).type(HTML).send(enrolPage(made.result));
    });
    scope.post('/account/two-factor/confirm', async (request, reply) => {
      const made = await withProblem(formOf(request, ConfirmTotpDto).then(({ code }) => this.mfa.confirm(code)));
      if ('problem' in made)
        return reply.status(made.status).headers(made.headers).type(HTML).send(enrolPage(null, made.problem));
      // Password and code were shown within the last moments: that is a step-up.
      await this.passwords.keepFresh(currentPrincipal().sessionId);
      return reply.type(HTML).send(backupCodesPage(made.result));
    });
    scope.post('/account/sessions/end-others', async (_request, reply) => {
      await this.ownSessions.endOthers();
      return reply.redirect('/admin/account', 303);
    });
  }

  private async account(): Promise<ShownAccount> {
    const { userId, role } = currentPrincipal();
    const [account, factor, sessions] = await Promise.all([
      this.accounts.findAccount(userId),
      this.mfa.status(),
      this.ownSessions.list(),
    ]);
    return { userId, role, email: account?.email ?? '', factor, sessions };
  }
}

/** What a form leads to: a result, or what to say on the same page again. */
type Made<T> =
  { readonly result: T } | { readonly problem: string; readonly status: number; readonly headers: AppError['headers'] };

async function withProblem<T>(work: Promise<T>): Promise<Made<T>> {
  try {
    return { result: await work };
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500) throw error;
    return { problem: error.detail ?? error.title, status: error.status, headers: error.headers };
  }
}

import { Injectable } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { AccountsService } from '../../auth/accounts/accounts.service';
import { ConfirmTotpDto, EnrolTotpDto } from '../../auth/mfa/mfa.dto';
import { MfaService } from '../../auth/mfa/mfa.service';
import { AccountPasswordService } from '../../auth/account-password.service';
import { AccountSessionsService } from '../../auth/sessions/account-sessions.service';
import { currentPrincipal } from '../../platform/http/access/access';
import { AppError } from '../../platform/errors/app-error';
import { readForm } from './forms';
import { AccountPage, BackupCodesPage, EnrolPage, type AccountView } from './pages/account-page';
import { sendPage } from './responses';

/** Allows data: images, for the QR code. */
const QR_CODE_PAGE_POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  'img-src data:',
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Routes of the admin's own account: data, second factor, sessions. */
@Injectable()
export class AccountRoutes {
  constructor(
    private readonly accounts: AccountsService,
    private readonly mfa: MfaService,
    private readonly accountPassword: AccountPasswordService,
    private readonly accountSessions: AccountSessionsService,
  ) {}

  register(scope: FastifyInstance): void {
    scope.get('/account', async (_request, reply) =>
      sendPage(reply, <AccountPage account={await this.readAccount()} />),
    );
    scope.post('/account/two-factor', async (request, reply) => {
      const { password } = await readForm(request, EnrolTotpDto);
      const outcome = await catchProblem(this.mfa.enrol(password));
      if ('problem' in outcome) {
        const page = <AccountPage account={await this.readAccount()} problem={outcome.problem} />;
        return sendPage(reply.status(outcome.status).headers(outcome.headers), page);
      }
      void reply.header('content-security-policy', QR_CODE_PAGE_POLICY);
      return sendPage(reply, <EnrolPage enrolment={outcome.result} />);
    });
    scope.post('/account/two-factor/confirm', async (request, reply) => {
      const outcome = await catchProblem(readForm(request, ConfirmTotpDto).then(({ code }) => this.mfa.confirm(code)));
      if ('problem' in outcome) {
        const page = <EnrolPage enrolment={null} problem={outcome.problem} />;
        return sendPage(reply.status(outcome.status).headers(outcome.headers), page);
      }
      // The admin has just entered password and code, which counts as a step-up.
      await this.accountPassword.recordStepUp(currentPrincipal().sessionId);
      return sendPage(reply, <BackupCodesPage codes={outcome.result} />);
    });
    scope.post('/account/sessions/end-others', async (_request, reply) => {
      await this.accountSessions.endOthers();
      return reply.redirect('/admin/account', 303);
    });
  }

  private async readAccount(): Promise<AccountView> {
    const { userId, role } = currentPrincipal();
    const [account, factor, sessions] = await Promise.all([
      this.accounts.findAccount(userId),
      this.mfa.getStatus(),
      this.accountSessions.list(),
    ]);
    return { userId, role, email: account?.email ?? '', factor, sessions };
  }
}

/** The outcome of a form: a result, or a problem to show on the same page. */
type FormResult<T> =
  { readonly result: T } | { readonly problem: string; readonly status: number; readonly headers: AppError['headers'] };

async function catchProblem<T>(work: Promise<T>): Promise<FormResult<T>> {
  try {
    return { result: await work };
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500) throw error;
    return { problem: error.detail ?? error.title, status: error.status, headers: error.headers };
  }
}

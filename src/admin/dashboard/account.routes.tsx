import { Injectable } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { AccountsService } from '../../auth/accounts/accounts.service';
import { ConfirmTotpDto, EnrolTotpDto } from '../../auth/mfa/mfa.dto';
import { MfaService, type TotpEnrolment } from '../../auth/mfa/mfa.service';
import { AccountPasswordService } from '../../auth/account-password.service';
import { AccountSessionsService } from '../../auth/sessions/account-sessions.service';
import { currentPrincipal } from '../../platform/http/access/access';
import { AppError } from '../../platform/errors/app-error';
import { readForm, PasswordInput, Problem } from './forms';
import { sendPage } from './responses';
import type { VNode } from 'preact';
import type { SessionSummary } from '../../auth/sessions/session-cache.service';
import { type Column, FactList, Table, Tag, Timestamp, SignedInPage } from './components/page';

const SECTION = '/admin/account';

type OwnSession = SessionSummary & { readonly current: boolean };

/** The data of the admin's account page. */
export interface AccountView {
  readonly userId: number;
  readonly role: string;
  readonly email: string;
  readonly factor: { readonly totpEnabled: boolean; readonly backupCodesLeft: number };
  readonly sessions: readonly OwnSession[];
}

/** Renders the page of the admin's own account. */
export function AccountPage({ account, problem }: { account: AccountView; problem?: string }): VNode {
  const { userId, role, email, factor, sessions } = account;
  return (
    <SignedInPage title="Account" section={SECTION}>
      <h1>Account</h1>
      <div class="card">
        <FactList
          facts={[
            ['Email', email],
            ['Role', role],
            ['User', <a href={`/admin/users/${userId}`}>{userId}</a>],
          ]}
        />
      </div>
      <h2>Two-factor sign-in</h2>
      <div class="card">
        <Problem text={problem} />
        {factor.totpEnabled ? <BackupCodesLeft count={factor.backupCodesLeft} /> : <TwoFactorSetup />}
      </div>
      <h2>Sessions</h2>
      <div class="card">
        <Sessions sessions={sessions} />
      </div>
    </SignedInPage>
  );
}

function BackupCodesLeft({ count }: { count: number }): VNode {
  return (
    <p>
      <Tag tone="good" text="on" /> {count} backup {count === 1 ? 'code' : 'codes'} left.
    </p>
  );
}

function TwoFactorSetup(): VNode {
  return (
    <>
      <p>
        <Tag tone="warn" text="off" /> A stolen password is enough to open this dashboard. Set up an authenticator app
        as the second factor.
      </p>
      <form class="filters" method="post" action="/admin/account/two-factor">
        <PasswordInput />
        <button class="main">Set up</button>
      </form>
    </>
  );
}

const SESSION_COLUMNS: readonly Column<OwnSession>[] = [
  {
    head: 'Device',
    cell: ({ device, current }) => (
      <>
        {device ?? 'unknown'} {current && <Tag tone="neutral" text="this session" />}
      </>
    ),
  },
  { head: 'IP address', cell: ({ ip }) => ip ?? 'unknown' },
  { head: 'Started', cell: ({ createdAt }) => <Timestamp at={createdAt} /> },
  { head: 'Last seen', cell: ({ lastSeenAt }) => <Timestamp at={lastSeenAt} isRelative /> },
];

function Sessions({ sessions }: Pick<AccountView, 'sessions'>): VNode {
  return (
    <>
      <Table
        caption="Your sessions, most recently used first"
        columns={SESSION_COLUMNS}
        rows={sessions}
        empty="No sessions."
      />
      {sessions.length > 1 && (
        <form method="post" action="/admin/account/sessions/end-others">
          <p class="actions">
            <button>End all other sessions</button>
          </p>
        </form>
      )}
    </>
  );
}

interface EnrolPageProps {
  readonly enrolment: TotpEnrolment | null;
  readonly problem?: string;
}

/** Renders the QR code of a new secret, shown once; without `enrolment`, only the form with a problem. */
export function EnrolPage({ enrolment, problem }: EnrolPageProps): VNode {
  return (
    <SignedInPage title="Two-factor sign-in" section={SECTION}>
      <div class="narrow card">
        <h1>Two-factor sign-in</h1>
        <Problem text={problem} />
        {enrolment && <NewSecret {...enrolment} />}
        <form method="post" action="/admin/account/two-factor/confirm">
          <label>
            Six digits{' '}
            <input name="code" inputmode="numeric" autocomplete="one-time-code" required maxlength={64} autofocus />
          </label>
          <p class="actions">
            <button class="main">Turn on</button>{' '}
            <a class="button subtle" href="/admin/account">
              Cancel
            </a>
          </p>
        </form>
        {enrolment === null && (
          <p class="muted">
            The key is shown only once. <a href="/admin/account">Start over</a> to get a new one.
          </p>
        )}
      </div>
    </SignedInPage>
  );
}

function NewSecret({ qrCode, secret }: TotpEnrolment): VNode {
  return (
    <>
      <p>Scan this code with an authenticator app, or type the key into it. Then enter the six digits it shows.</p>
      <p>
        <img class="qr" src={qrCode} alt="QR code with the key below" width={224} height={224} />
      </p>
      <p>
        Key: <code>{secret.replace(/(.{4})(?=.)/g, '$1 ')}</code>
      </p>
    </>
  );
}

/** Renders the backup codes, shown once. */
export function BackupCodesPage({ codes }: { codes: readonly string[] }): VNode {
  return (
    <SignedInPage title="Backup codes" section={SECTION}>
      <div class="narrow card">
        <h1>Two-factor sign-in is on</h1>
        <p>
          Keep these backup codes in a safe place. Each code replaces the authenticator once. They are not shown again.
        </p>
        <ol class="codes">
          {codes.map((code) => (
            <li>{code}</li>
          ))}
        </ol>
        <p class="actions">
          <a class="button main" href="/admin/account">
            Done
          </a>
        </p>
      </div>
    </SignedInPage>
  );
}

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

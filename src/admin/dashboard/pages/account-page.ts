import type { TotpEnrolment } from '../../../auth/mfa/mfa.service';
import type { SessionSummary } from '../../../auth/sessions/session-record';
import { factList, html, type Markup, table, tag, timestamp } from '../components/html';
import { signedInPage } from '../components/page';
import { problemLine } from './form-pages';

/** The data of the admin's account page. */
export interface AccountView {
  readonly userId: number;
  readonly role: string;
  readonly email: string;
  readonly factor: { readonly totpEnabled: boolean; readonly backupCodesLeft: number };
  readonly sessions: readonly (SessionSummary & { readonly current: boolean })[];
}

/** Renders the page of the admin's own account. */
export function accountPage(account: AccountView, problem?: string): string {
  const { userId, role, email, sessions } = account;
  return accountLayout(
    'Account',
    html`<h1>Account</h1>
      <div class="card">
        ${factList([
          ['E-mail', email],
          ['Role', role],
          ['User', html`<a href="/admin/users/${userId}">${userId}</a>`],
        ])}
      </div>
      <h2>Two-factor sign-in</h2>
      <div class="card">${problemLine(problem)}${mfaSection(account)}</div>
      <h2>Sessions</h2>
      <div class="card">${sessionsSection(sessions)}</div>`,
  );
}

/** Renders the QR code of a new secret, shown once; without `enrolment`, only the form with a problem. */
export function enrolPage(enrolment: TotpEnrolment | null, problem?: string): string {
  return accountLayout(
    'Two-factor sign-in',
    html`<div class="narrow card">
      <h1>Two-factor sign-in</h1>
      ${problemLine(problem)}
      ${
        enrolment &&
        html`<p>
            Scan this code with an authenticator app, or type the key into it. Then enter the six digits it shows.
          </p>
          <p><img class="qr" src="${enrolment.qrCode}" alt="QR code with the key below" width="224" height="224" /></p>
          <p>Key: <code>${enrolment.secret.replace(/(.{4})(?=.)/g, '$1 ')}</code></p>`
      }
      <form method="post" action="/admin/account/two-factor/confirm">
        <label
          >Six digits
          <input name="code" inputmode="numeric" autocomplete="one-time-code" required maxlength="64" autofocus
        /></label>
        <p class="actions">
          <button class="main">Turn on</button> <a class="button subtle" href="/admin/account">Cancel</a>
        </p>
      </form>
      ${enrolment ? null : html`<p class="muted">The key is shown only once. <a href="/admin/account">Start over</a> to get a new one.</p>`}
    </div>`,
  );
}

/** Renders the backup codes, shown once. */
export function backupCodesPage(codes: readonly string[]): string {
  return accountLayout(
    'Backup codes',
    html`<div class="narrow card">
      <h1>Two-factor sign-in is on</h1>
      <p>
        Keep these backup codes in a safe place. Each code replaces the authenticator once. They are not shown again.
      </p>
      <ol class="codes">
        ${codes.map((code) => html`<li>${code}</li>`)}
      </ol>
      <p class="actions"><a class="button main" href="/admin/account">Done</a></p>
    </div>`,
  );
}

function accountLayout(title: string, body: Markup): string {
  return signedInPage({ title, section: '/admin/account', body });
}

function mfaSection({ factor }: AccountView): Markup {
  if (factor.totpEnabled) {
    const left = factor.backupCodesLeft;
    return html`<p>${tag('good', 'on')} ${left} backup ${left === 1 ? 'code' : 'codes'} left.</p>`;
  }
  return html`<p>
      ${tag('warn', 'off')} A stolen password is enough to open this dashboard. Set up an authenticator app as the
      second factor.
    </p>
    <form class="filters" method="post" action="/admin/account/two-factor">
      <label>Password <input name="password" type="password" autocomplete="current-password" required /></label>
      <button class="main">Set up</button>
    </form>`;
}

function sessionsSection(sessions: AccountView['sessions']): Markup {
  const columns = [
    {
      head: 'Device',
      cell: ({ device, current }: AccountView['sessions'][number]) =>
        html`${device ?? 'unknown'} ${current ? tag('neutral', 'this session') : null}`,
    },
    { head: 'Address', cell: ({ ip }: SessionSummary) => ip ?? 'unknown' },
    { head: 'Started', cell: ({ createdAt }: SessionSummary) => timestamp(createdAt) },
    { head: 'Last seen', cell: ({ lastSeenAt }: SessionSummary) => timestamp(lastSeenAt, true) },
  ];
  return html`${table('Your sessions, most recently used first', columns, sessions, 'No sessions.')}
  ${
    sessions.length < 2
      ? null
      : html`<form method="post" action="/admin/account/sessions/end-others">
          <p class="actions"><button>End all other sessions</button></p>
        </form>`
  }`;
}

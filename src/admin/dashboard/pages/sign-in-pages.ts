import { html, type Markup } from '../html';
import { cardPage } from '../layout';

/** The form that asks an admin who he is. */
export function signInPage({ email, problem }: { email?: string; problem?: string } = {}): string {
  return cardPage(
    'Sign in',
    html`<h1>Gigvault</h1>
      ${problemLine(problem)}
      <form method="post" action="/admin/sign-in">
        <label>E-mail <input name="email" type="email" autocomplete="username" required autofocus value="${email}" /></label>
        <label>Password <input name="password" type="password" autocomplete="current-password" required /></label>
        <button class="main">Sign in</button>
      </form>
      <p class="dim">For admins of this installation. Every visit is on record.</p>`,
  );
}

/** The second step of signing in. */
export function codePage({ mfaToken, problem }: { mfaToken: string; problem?: string }): string {
  return cardPage(
    'Sign in',
    html`<h1>Gigvault</h1>
      ${problemLine(problem)}
      <form method="post" action="/admin/sign-in/code">
        <input type="hidden" name="mfaToken" value="${mfaToken}" />
        ${codeField(true)}
        <button class="main">Sign in</button>
      </form>
      <p class="dim"><a href="/admin/sign-in">Begin anew</a></p>`,
  );
}

/** Asks an admin to show his second factor again. */
export function confirmPage(problem?: string): string {
  return cardPage(
    'Confirm who you are',
    html`<h1>Is it still you?</h1>
      ${problem === undefined ? html`<p>You showed your second factor more than ten minutes ago.</p>` : problemLine(problem)}
      <form method="post" action="/admin/confirm">
        <label>Password <input name="password" type="password" autocomplete="current-password" required autofocus /></label>
        ${codeField(false)}
        <button class="main">Go on</button>
      </form>
      <form method="post" action="/admin/sign-out"><button class="quiet">Sign out</button></form>`,
  );
}

/** What went wrong, with a way back. */
export function problemPage(title: string, detail: string | undefined, requestId: string): string {
  return cardPage(
    title,
    html`<h1>${title}</h1>
      <p>${detail}</p>
      <p class="dim">Request ${requestId}</p>
      <p><a href="/admin">Back to the dashboard</a></p>`,
  );
}

function problemLine(problem: string | undefined): Markup | null {
  return problem === undefined ? null : html`<p class="notice bad" role="alert">${problem}</p>`;
}

function codeField(isFirst: boolean): Markup {
  return html`<label>Code of your authenticator, or a backup code
    <input name="code" autocomplete="one-time-code" required maxlength="64"${isFirst ? html` autofocus` : null} /></label>`;
}

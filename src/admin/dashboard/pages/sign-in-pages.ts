import { html, type Markup } from '../html';
import { cardPage } from '../layout';

/** What a form before a page is shown with. */
interface Before {
  /** The page that was asked for. */
  readonly to: string;
  readonly problem?: string;
}

/** Returns the form that asks for e-mail address and password. */
export function signInPage({ email, to, problem }: Before & { email?: string }): string {
  return cardPage(
    'Sign in',
    html`<h1>Gigvault</h1>
      ${problemLine(problem)}
      <form method="post" action="/admin/sign-in">
        ${toField(to)}
        <label
          >E-mail <input name="email" type="email" autocomplete="username" required autofocus value="${email}"
        /></label>
        <label>Password <input name="password" type="password" autocomplete="current-password" required /></label>
        <button class="main">Sign in</button>
      </form>
      <p class="dim">For admins of this installation. Every visit is on record.</p>`,
  );
}

/** Returns the form of the second step of signing in. */
export function codePage({ mfaToken, to, problem }: Before & { mfaToken: string }): string {
  return cardPage(
    'Sign in',
    html`<h1>Gigvault</h1>
      ${problemLine(problem)}
      <form method="post" action="/admin/sign-in/code">
        ${toField(to)}
        <input type="hidden" name="mfaToken" value="${mfaToken}" />
        ${codeField({ isFirst: true })}
        <button class="main">Sign in</button>
      </form>
      <p class="dim"><a href="/admin/sign-in">Start over</a></p>`,
  );
}

/** Returns the form by which admins confirm who they are after half an hour without a page. */
export function confirmPage({ to, problem }: Before): string {
  return cardPage(
    'Confirm who you are',
    html`<h1>Is it still you?</h1>
      ${problem === undefined ? html`<p>No page was opened for half an hour.</p>` : problemLine(problem)}
      <form method="post" action="/admin/confirm">
        ${toField(to)}
        <label
          >Password <input name="password" type="password" autocomplete="current-password" required autofocus
        /></label>
        ${codeField({ isOptional: true })}
        <button class="main">Continue</button>
      </form>
      <form method="post" action="/admin/sign-out"><button class="quiet">Sign out</button></form>`,
  );
}

/** Says what was wrong with a form. */
export function problemLine(problem: string | undefined): Markup | null {
  return problem === undefined ? null : html`<p class="notice bad" role="alert">${problem}</p>`;
}

/** The field for a code of the second factor. */
export function codeField({ isFirst = false, isOptional = false } = {}): Markup {
  return html`<label
    >Code of your authenticator, or a backup code${isOptional ? ' (with two-factor sign-in)' : null}
    <input
      name="code"
      autocomplete="one-time-code"
      ${isOptional ? null : html` required`}
      maxlength="64"
      ${isFirst ? html` autofocus` : null}
  /></label>`;
}

function toField(to: string): Markup {
  return html`<input type="hidden" name="to" value="${to}" />`;
}

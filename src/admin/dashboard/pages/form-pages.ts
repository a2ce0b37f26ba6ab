import { html, type Markup } from '../components/html';
import { cardPage, signedInPage } from '../components/page';
import type { Confirmation } from '../dashboard-actions.service';
import type { RequiredCredentials } from '../dashboard-sessions.service';

/** The data common to the sign-in and confirmation forms. */
interface SignInFormView {
  /** The page to open afterwards. */
  readonly returnPath: string;
  readonly problem?: string;
}

/** Renders the form for email address and password. */
export function signInPage({ email, returnPath, problem }: SignInFormView & { email?: string }): string {
  return cardPage(
    'Sign in',
    html`<h1>Gigvault</h1>
      ${problemLine(problem)}
      <form method="post" action="/admin/sign-in">
        ${returnPathField(returnPath)}
        <label
          >E-mail <input name="email" type="email" autocomplete="username" required autofocus value="${email}"
        /></label>
        <label>Password <input name="password" type="password" autocomplete="current-password" required /></label>
        <button class="main">Sign in</button>
      </form>
      <p class="muted">For admins of this installation. Every visit is logged.</p>`,
  );
}

/** Renders the form of the second sign-in step. */
export function codePage({ mfaToken, returnPath, problem }: SignInFormView & { mfaToken: string }): string {
  return cardPage(
    'Sign in',
    html`<h1>Gigvault</h1>
      ${problemLine(problem)}
      <form method="post" action="/admin/sign-in/code">
        ${returnPathField(returnPath)}
        <input type="hidden" name="mfaToken" value="${mfaToken}" />
        ${codeField({ isFirst: true })}
        <button class="main">Sign in</button>
      </form>
      <p class="muted"><a href="/admin/sign-in">Start over</a></p>`,
  );
}

/** Renders the form by which admins confirm their identity after half an hour without a page. */
export function confirmPage({ returnPath, problem }: SignInFormView): string {
  return cardPage(
    'Confirm your identity',
    html`<h1>Confirm your identity</h1>
      ${problem === undefined ? html`<p>No page was opened for half an hour.</p>` : problemLine(problem)}
      <form method="post" action="/admin/confirm">
        ${returnPathField(returnPath)}
        <label
          >Password <input name="password" type="password" autocomplete="current-password" required autofocus
        /></label>
        ${codeField({ isOptional: true })}
        <button class="main">Continue</button>
      </form>
      <form method="post" action="/admin/sign-out"><button class="subtle">Sign out</button></form>`,
  );
}

/** Renders the problem of a form. */
export function problemLine(problem: string | undefined): Markup | null {
  return problem === undefined ? null : html`<p class="notice bad" role="alert">${problem}</p>`;
}

/** Renders the field for a code of the second factor. */
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

function returnPathField(path: string): Markup {
  return html`<input type="hidden" name="to" value="${path}" />`;
}

/** The form of an action. */
export interface ActionFormView {
  readonly confirmation: Confirmation;
  /** The path of the form's POST request. */
  readonly action: string;
  /** The credentials to enter; null when none. */
  readonly credentials: RequiredCredentials | null;
  readonly reason?: string;
  readonly problem?: string;
}

/** Renders the form that asks for the reason of an action and, if required, for credentials. */
export function actionPage({ confirmation, action, credentials, reason, problem }: ActionFormView): string {
  const { title, text, button, cancelPath, isDestructive } = confirmation;
  return signedInPage({
    title,
    section: '',
    body: html`<div class="narrow card">
      <h1>${title}</h1>
      <p>${text}</p>
      ${problemLine(problem)}
      <form method="post" action="${action}">
        <label
          >Reason, for the security log
          <input name="reason" required maxlength="500" autocomplete="off" autofocus value="${reason}"
        /></label>
        ${
          credentials &&
          html`<p class="muted">Confirm your identity. The confirmation is valid for ten minutes.</p>
            <label>Password <input name="password" type="password" autocomplete="current-password" required /></label>
            ${credentials.needsCode ? codeField() : null}`
        }
        <p class="actions">
          <button class="${isDestructive ? 'destructive' : 'main'}">${button}</button>
          <a class="button subtle" href="${cancelPath}">Cancel</a>
        </p>
      </form>
    </div>`,
  });
}

import { html, type Markup } from '../components/html';
import { cardPage, signedInPage } from '../components/page';
import type { Confirmation } from '../dashboard-actions.service';
import type { RequiredProof } from '../dashboard-sessions.service';

/** What a form before a page is shown with. */
interface SignInFormView {
  /** The page that was asked for. */
  readonly returnPath: string;
  readonly problem?: string;
}

/** Returns the form that asks for e-mail address and password. */
export function signInPage({ email, returnPath: to, problem }: SignInFormView & { email?: string }): string {
  return cardPage(
    'Sign in',
    html`<h1>Gigvault</h1>
      ${problemLine(problem)}
      <form method="post" action="/admin/sign-in">
        ${returnPathField(to)}
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
export function codePage({ mfaToken, returnPath: to, problem }: SignInFormView & { mfaToken: string }): string {
  return cardPage(
    'Sign in',
    html`<h1>Gigvault</h1>
      ${problemLine(problem)}
      <form method="post" action="/admin/sign-in/code">
        ${returnPathField(to)}
        <input type="hidden" name="mfaToken" value="${mfaToken}" />
        ${codeField({ isFirst: true })}
        <button class="main">Sign in</button>
      </form>
      <p class="dim"><a href="/admin/sign-in">Start over</a></p>`,
  );
}

/** Returns the form by which admins confirm who they are after half an hour without a page. */
export function confirmPage({ returnPath: to, problem }: SignInFormView): string {
  return cardPage(
    'Confirm who you are',
    html`<h1>Is it still you?</h1>
      ${problem === undefined ? html`<p>No page was opened for half an hour.</p>` : problemLine(problem)}
      <form method="post" action="/admin/confirm">
        ${returnPathField(to)}
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

function returnPathField(to: string): Markup {
  return html`<input type="hidden" name="to" value="${to}" />`;
}

/** An act that is asked about. */
export interface ActionFormView {
  readonly confirmation: Confirmation;
  /** The path that does it. */
  readonly action: string;
  /** What the admin must show first. */
  readonly proof: RequiredProof | null;
  readonly reason?: string;
  readonly problem?: string;
}

/** Returns the page that asks an admin to confirm an act, why, and where needed for their password. */
export function actionPage({ confirmation: question, action, proof, reason, problem }: ActionFormView): string {
  const { title, text, button, cancelPath: back, isDestructive: isGrave } = question;
  return signedInPage({
    title,
    section: '',
    body: html`<div class="narrow card">
      <h1>${title}</h1>
      <p>${text}</p>
      ${problemLine(problem)}
      <form method="post" action="${action}">
        <label
          >Reason, for the record
          <input name="reason" required maxlength="500" autocomplete="off" autofocus value="${reason}"
        /></label>
        ${
          proof &&
          html`<p class="dim">Confirm that it is you. This is asked again after ten minutes.</p>
            <label>Password <input name="password" type="password" autocomplete="current-password" required /></label>
            ${proof.needsCode ? codeField() : null}`
        }
        <p class="actions">
          <button class="${isGrave ? 'destructive' : 'main'}">${button}</button>
          <a class="button quiet" href="${back}">Cancel</a>
        </p>
      </form>
    </div>`,
  });
}

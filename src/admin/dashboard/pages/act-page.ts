import type { Question } from '../acts';
import type { NeededProof } from '../dashboard-sessions';
import { html } from '../html';
import { signedInPage } from '../layout';
import { codeField, problemLine } from './sign-in-pages';

/** An act that is asked about. */
export interface AskedAct {
  readonly question: Question;
  /** The path that does it. */
  readonly action: string;
  /** What the admin must show first. */
  readonly proof: NeededProof | null;
  readonly reason?: string;
  readonly problem?: string;
}

/** Returns the page that asks an admin to confirm an act, why, and where needed for their password. */
export function actPage({ question, action, proof, reason, problem }: AskedAct): string {
  const { title, text, button, back, isGrave } = question;
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
            ${proof.code ? codeField() : null}`
        }
        <p class="acts">
          <button class="${isGrave ? 'grave' : 'main'}">${button}</button>
          <a class="button quiet" href="${back}">Cancel</a>
        </p>
      </form>
    </div>`,
  });
}

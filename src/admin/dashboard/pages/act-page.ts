import type { Question } from '../acts';
import { html } from '../html';
import { signedInPage } from '../layout';

/** Asks whether an admin means it, and why. */
export function actPage({ title, text, button, back, isGrave }: Question, action: string): string {
  return signedInPage({
    title,
    section: '',
    body: html`<div class="narrow card">
      <h1>${title}</h1>
      <p>${text}</p>
      <form method="post" action="${action}">
        <label>Reason, for the record <input name="reason" required maxlength="500" autocomplete="off" autofocus /></label>
        <p class="acts"><button class="${isGrave ? 'grave' : 'main'}">${button}</button> <a class="button quiet" href="${back}">Cancel</a></p>
      </form>
    </div>`,
  });
}
